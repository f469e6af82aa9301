//! Which versions will do: `>= 1.2, < 2`, `~> 1.2`, `1.4.0`.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::version::Version;

/// All of its parts must hold; without parts every version will do, prereleases too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraint(Vec<(Operator, Version)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Pessimistic,
}

/// Two-letter operators first: `>` begins `>=`.
const OPERATORS: &[(&str, Operator)] = &[
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("!=", Operator::NotEqual),
    ("~>", Operator::Pessimistic),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

impl Operator {
    fn holds(self, version: &Version, bound: &Version) -> bool {
        match self {
            Self::Equal => version == bound,
            Self::NotEqual => version != bound,
            Self::Greater => version > bound,
            Self::Less => version < bound,
            Self::AtLeast => version >= bound,
            Self::AtMost => version <= bound,
            Self::Pessimistic => version >= bound && version.release() < bound.bump(),
        }
    }
}

impl Constraint {
    /// Whether `version` will do.
    pub fn allows(&self, version: &Version) -> bool {
        self.0.iter().all(|(operator, bound)| operator.holds(version, bound))
    }

    /// Whether every version will do.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}

fn one(text: &str) -> Result<(Operator, Version), Error> {
    let text = text.trim();
    let (operator, rest) =
        OPERATORS.iter().find_map(|(sign, o)| text.strip_prefix(sign).map(|rest| (*o, rest))).unwrap_or((Operator::Equal, text));
    let wrong = |reason: &str| Error::Version { text: text.escape_debug().to_string(), constraint: true, reason: reason.to_owned() };
    if rest.trim().is_empty() {
        return Err(wrong("a version is missing"));
    }
    let bound = rest.parse().map_err(|_| wrong("write an operator (= != > < >= <= ~>) and a version, such as `~> 1.2`"))?;
    Ok((operator, bound))
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str(">= 0");
        }
        let sign = |operator: &Operator| OPERATORS.iter().find(|(_, o)| o == operator).map_or("=", |(sign, _)| sign);
        let parts: Vec<String> = self.0.iter().map(|(o, v)| format!("{} {v}", sign(o))).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allows(constraint: &str, version: &str) -> bool {
        constraint.parse::<Constraint>().unwrap().allows(&version.parse().unwrap())
    }

    #[test]
    fn each_operator() {
        for (constraint, yes, no) in [
            ("1.2", "1.2.0", "1.2.1"),
            ("= 1.2", "1.2", "1.3"),
            ("!= 1.2", "1.3", "1.2.0"),
            ("> 1.2", "1.10", "1.2"),
            ("<1.10", "1.9", "1.10"),
            (">=1.2", "1.2", "1.2.a"),
            ("<= 1.2", "1.2.0", "1.2.1"),
            ("~> 1.2", "1.9", "2.0"),
            ("~> 1.2.3", "1.2.30", "1.3"),
            ("~> 1", "1.9", "2"),
            ("~> 1.2", "1.2.0", "1.1"),
            ("~> 1.2", "1.3.a", "2.0.a"),
            (">= 1, < 2 , != 1.5", "1.4", "1.5"),
            ("", "0", "0.a, never"),
        ] {
            assert!(allows(constraint, yes), "{constraint} allows {yes}");
            assert!(no.contains(',') || !allows(constraint, no), "{constraint} forbids {no}");
        }
        assert!(allows("", "0.a"));
    }

    #[test]
    fn what_is_no_constraint() {
        for text in [",", "1,", ">", "=> 1", "== 1", "~ 1", "latest", "1 2"] {
            assert!(text.parse::<Constraint>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_and_parsed_again_it_is_the_same(text in "(= |!=|>|<|>= |<=|~> )[0-9](\\.[0-9]{1,2}){0,2}(, ?(~>|<)[0-9](\\.[0-9]){0,2})?") {
            let constraint: Constraint = text.parse().unwrap();
            prop_assert_eq!(constraint.to_string().parse::<Constraint>().unwrap(), constraint);
        }

        #[test]
        fn an_operator_and_its_opposite_never_agree(v in "[0-3](\\.[0-3]){0,2}", bound in "[0-3](\\.[0-3]){0,2}") {
            for (a, b) in [("=", "!="), (">", "<="), ("<", ">=")] {
                prop_assert_ne!(allows(&format!("{a}{bound}"), &v), allows(&format!("{b}{bound}"), &v));
            }
        }
    }
}
