//! Byte strings of a fixed length, written as lower-case hexadecimal digits: one text for each value, so that documents that
//! hold them stay canonical.

/// A public tuple type over `[u8; N]` whose only text form is `2 * N` lower-case hexadecimal digits.
macro_rules! hexadecimal {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; $bytes]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::hexadecimal::NotHexadecimal;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::hexadecimal::NotHexadecimal;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; $bytes];
                let lower = text.bytes().all(|b| !b.is_ascii_uppercase());
                match hex::decode_to_slice(text, &mut bytes) {
                    Ok(()) if lower => Ok(Self(bytes)),
                    _ => Err($crate::hexadecimal::NotHexadecimal { digits: 2 * $bytes }),
                }
            }
        }
    };
}
pub(crate) use hexadecimal;

/// The text is not the one form of the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected exactly {digits} lower-case hexadecimal digits")]
pub struct NotHexadecimal {
    /// How many were expected.
    pub digits: usize,
}

#[cfg(test)]
mod tests {
    hexadecimal! {
        /// Two bytes.
        Two, 2
    }

    #[test]
    fn a_value_has_exactly_one_text() {
        assert_eq!("0aff".parse(), Ok(Two([0x0a, 0xff])));
        assert_eq!(Two([0x0a, 0xff]).to_string(), "0aff");
        for other in [
            "0AFF", "0aF f", "0aff0", "0af", "", "0x0aff", "0aff\n", "0aｆf",
        ] {
            assert!(other.parse::<Two>().is_err(), "{other:?}");
        }
    }
}
