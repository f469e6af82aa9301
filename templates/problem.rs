//! A mistake in a template, with its place. All are gathered before any is shown.

/// Where in the template's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "At line {}, column {}", self.line, self.column)
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where; none for mistakes of the command line or of a variable file.
    pub place: Option<Place>,
    /// The build it keeps from running; none when it is the template's own.
    pub build: Option<String>,
    /// What and why, a fragment.
    pub message: String,
}

impl Problem {
    /// A mistake at a place.
    pub fn at(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), build: None, message: message.into() }
    }

    /// A mistake that has no place in the template.
    pub fn nowhere(message: impl Into<String>) -> Self {
        Self { place: None, build: None, message: message.into() }
    }
}

impl Problem {
    /// Whether a type could not be had at all (then its options were not looked at).
    pub fn is_of_type(&self) -> bool {
        self.message.starts_with("error initializing ") || self.message.starts_with("`max_retries` must be")
    }
}

/// The place stands behind, so that a line begins as the peer's does; what shows its place already is left alone.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match self.place {
            Some(place) if !self.message.contains("\nAt line ") => write!(f, " (at line {}, column {})", place.line, place.column),
            _ => Ok(()),
        }
    }
}
