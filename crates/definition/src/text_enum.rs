//! Enums whose variants are words that authors write.

/// An enum made by [`text_enum!`], for code that works with any of them.
pub(crate) trait TextEnum: Copy + 'static {
    /// Every variant, in the order of the documentation.
    const ALL: &'static [Self];

    /// The variant as it is written in a definition.
    fn text(self) -> &'static str;

    /// Reads a word; `None` if no variant is written like this.
    fn parse_text(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|variant| variant.text() == text)
    }
}

/// Declares an enum with the word that each variant is written as. The documentation of the variants is part of the JSON Schema.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every variant, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The variant as it is written in a definition.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::text_enum::TextEnum for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn text(self) -> &'static str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use text_enum;
