//! Floats as Go's `strconv.FormatFloat` writes them.

/// `value` by `verb`; none for a verb that floats do not have.
pub fn format(value: f64, verb: char, precision: Option<usize>, sharp: bool) -> Option<String> {
    match verb {
        'f' | 'F' => Some(format!("{value:.*}", precision.unwrap_or(6))),
        'e' | 'E' => Some(cased(&exponential(value, Some(precision.unwrap_or(6))), verb)),
        'v' | 'g' | 'G' => Some(cased(&general(value, precision, sharp), verb)),
        _ => None,
    }
}

fn cased(text: &str, verb: char) -> String {
    if verb.is_ascii_uppercase() { text.to_uppercase() } else { text.to_owned() }
}

/// `d.ddde±dd`.
fn exponential(value: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(digits) => format!("{value:.digits$e}"),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// The shorter of both forms, by the exponent.
fn general(value: f64, precision: Option<usize>, sharp: bool) -> String {
    let precision = precision.map(|p| p.max(1));
    let scientific = precision.map_or_else(|| format!("{value:e}"), |p| format!("{value:.*e}", p - 1));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let keeps_zeros = sharp && precision.is_some();
    let mantissa = if mantissa.contains('.') && !keeps_zeros { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let digits = mantissa.chars().filter(char::is_ascii_digit).count();
    let digits_wide = i32::try_from(digits).unwrap_or(i32::MAX);
    let limit = match precision {
        None => 6,
        Some(p) => {
            let p = i32::try_from(p).unwrap_or(i32::MAX);
            if p > digits_wide && digits_wide > exponent { digits_wide } else { p }
        }
    };
    if exponent < -4 || exponent >= limit {
        let fraction = digits.saturating_sub(1);
        return exponential(value, Some(fraction));
    }
    let fraction = usize::try_from(digits_wide - 1 - exponent).unwrap_or(0);
    format!("{value:.fraction$}")
}
