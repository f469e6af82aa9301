//! Version constraints of boxes: `~> 12.5`, `>= 1.0, < 2`.

/// What is wrong with the constraints; none when nothing is.
pub fn wrong(text: &str) -> Option<String> {
    let bad = text.split(',').map(str::trim).find(|part| !is_constraint(part))?;
    let known = "`=`, `!=`, `>`, `>=`, `<`, `<=`, `~>`";
    Some(if bad.is_empty() {
        format!("`{text}` has an empty constraint")
    } else {
        format!("`{bad}` is not a version constraint (write `~> 12.5` or `>= 1.0, < 2`; known are {known})")
    })
}

fn is_constraint(part: &str) -> bool {
    let operators = ["~>", ">=", "<=", "!=", "=", ">", "<"];
    let version = operators.iter().find_map(|o| part.strip_prefix(o)).unwrap_or(part).trim();
    let mut segments = version.split(['.', '-', '+']);
    let word = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = segments.next().unwrap_or_default().trim_start_matches('v');
    !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit()) && segments.all(word)
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn constraints() {
        for fine in ["1", "~> 12.5", ">= 1.0, < 2", "= 202401.31.0", "!=1.0.0-rc.1", "12.20240905.1", "1.0.0.beta2"] {
            assert_eq!(wrong(fine), None, "{fine}");
        }
        for bad in ["=> 1", "latest", ">=", "1..2", "~> 1 2"] {
            assert!(wrong(bad).is_some_and(|m| m.contains("is not a version constraint")), "{bad}");
        }
        assert_eq!(wrong(">= 1,").as_deref(), Some("`>= 1,` has an empty constraint"));
    }
}
