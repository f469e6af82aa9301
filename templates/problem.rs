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

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{place}: ")?;
        }
        if let Some(build) = &self.build {
            write!(f, "build `{build}`: ")?;
        }
        f.write_str(&self.message)
    }
}
