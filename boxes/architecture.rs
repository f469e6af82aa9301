//! Words for processor architectures: catalogs say `amd64`, Rust and QEMU say `x86_64`.

/// The word for an architecture nobody wrote down.
pub const UNKNOWN: &str = "unknown";

/// Spellings: the catalogs' word first, Rust's second, others after.
const SPELLINGS: &[&[&str]] = &[
    &["amd64", "x86_64", "x86-64", "x64"],
    &["arm64", "aarch64", "armv8"],
    &["i386", "x86", "i486", "i586", "i686", "386"],
    &["arm", "arm", "armhf", "armv7", "armv7l"],
    &["ppc64le", "powerpc64le", "ppc64el"],
    &["ppc64", "powerpc64"],
    &["ppc", "powerpc"],
    &["riscv64", "riscv64", "riscv64gc"],
    &["s390x", "s390x"],
    &["loongarch64", "loongarch64", "loong64"],
];

/// This host's, in the catalogs' word.
pub fn host() -> &'static str {
    spellings(std::env::consts::ARCH).map_or(std::env::consts::ARCH, |s| s[0])
}

/// The catalogs' word for `word`; unknown words are given back in small letters.
pub fn normalise(word: &str) -> String {
    let word = word.trim().to_lowercase();
    spellings(&word).map_or(word.clone(), |s| s[0].to_owned())
}

/// Rust's (and QEMU's) word for `word`: `x86_64`, `aarch64` …
pub fn rust_name(word: &str) -> String {
    let word = word.trim().to_lowercase();
    spellings(&word).map_or(word.clone(), |s| s[1].to_owned())
}

fn spellings(word: &str) -> Option<&'static [&'static str]> {
    SPELLINGS.iter().find(|s| s.contains(&word)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_to_one_word() {
        for word in ["x86_64", "AMD64", " x64 "] {
            assert_eq!(normalise(word), "amd64");
            assert_eq!(rust_name(word), "x86_64");
        }
        assert_eq!(normalise("aarch64"), "arm64");
        assert_eq!(rust_name("arm64"), "aarch64");
        assert_eq!(normalise("i686"), "i386");
        assert_eq!(normalise("unknown"), UNKNOWN);
        assert_eq!(normalise("Vax"), "vax");
    }

    #[test]
    fn the_host_is_in_the_catalogs_words() {
        assert_eq!(normalise(host()), host());
    }
}
