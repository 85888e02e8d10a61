//! The properties of each card brand; a test compares them with `data/card_brands.json`.
//!
//! The table is code, not parsed JSON, to keep the widget's download small.

/// The properties of one brand.
pub(super) struct BrandSpec {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) security_code_name: &'static str,
    pub(super) security_code_length: u8,
    /// Positions where a space is printed.
    pub(super) gaps: &'static [u8],
    /// Valid lengths of a number, ascending.
    pub(super) lengths: &'static [u8],
    /// Prefixes of the brand's numbers. The first match wins, so the order matters.
    pub(super) patterns: &'static [Pattern],
}

/// The prefixes from `first` to `last`, inclusive; both have the same number of digits.
pub(super) struct Pattern {
    pub(super) first: u32,
    pub(super) last: u32,
}

/// Digits in the longest pattern; digits after them cannot change the brand.
pub(super) const LONGEST_PATTERN: u32 = 8;

const fn one(beginning: u32) -> Pattern {
    Pattern {
        first: beginning,
        last: beginning,
    }
}

const fn range(first: u32, last: u32) -> Pattern {
    Pattern { first, last }
}

pub(super) static VISA: BrandSpec = BrandSpec {
    slug: "visa",
    name: "Visa",
    security_code_name: "CVV",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16, 18, 19],
    patterns: &[one(4)],
};

pub(super) static MASTERCARD: BrandSpec = BrandSpec {
    slug: "mastercard",
    name: "Mastercard",
    security_code_name: "CVC",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16],
    patterns: &[
        range(51, 55),
        range(2221, 2229),
        range(223, 229),
        range(23, 26),
        range(270, 271),
        one(2720),
    ],
};

pub(super) static AMERICAN_EXPRESS: BrandSpec = BrandSpec {
    slug: "american-express",
    name: "American Express",
    security_code_name: "CID",
    security_code_length: 4,
    gaps: &[4, 10],
    lengths: &[15],
    patterns: &[one(34), one(37)],
};

pub(super) static DINERS_CLUB: BrandSpec = BrandSpec {
    slug: "diners-club",
    name: "Diners Club",
    security_code_name: "CVV",
    security_code_length: 3,
    gaps: &[4, 10],
    lengths: &[14, 16, 19],
    patterns: &[range(300, 305), one(36), one(38), one(39)],
};

pub(super) static DISCOVER: BrandSpec = BrandSpec {
    slug: "discover",
    name: "Discover",
    security_code_name: "CID",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16, 19],
    patterns: &[one(6011), range(644, 649), one(65)],
};

pub(super) static TROY: BrandSpec = BrandSpec {
    slug: "troy",
    name: "Troy",
    security_code_name: "CVV",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16],
    patterns: &[
        one(9792),
        one(650052),
        range(650082, 650083),
        one(650092),
        one(650161),
        one(650170),
        one(650173),
        one(650175),
        one(650268),
        one(650271),
        range(650273, 650274),
        range(650456, 650457),
        one(650836),
        range(650846, 650850),
        one(650923),
        one(650987),
        one(650990),
        one(654997),
        one(657366),
        one(657998),
        one(658758),
        range(658767, 658768),
        range(65083700, 65083704),
        range(65085800, 65085804),
        range(65085900, 65085901),
        one(65086000),
        range(65086100, 65086105),
        range(65086200, 65086203),
        range(65875000, 65875003),
        one(65875009),
        range(65875101, 65875104),
        one(65875200),
        one(65875501),
        one(65875601),
        one(65875900),
        range(65876000, 65876002),
        range(65876100, 65876103),
        one(65876110),
        range(65876115, 65876116),
        range(65876200, 65876201),
        one(65876500),
        range(65876504, 65876505),
        range(65876600, 65876602),
        range(65877100, 65877101),
        range(65877600, 65877602),
        one(65877700),
        range(65877801, 65877802),
        range(65878200, 65878202),
        range(65878300, 65878311),
        range(65878400, 65878405),
        range(65878500, 65878505),
        range(65878600, 65878601),
        one(65879800),
        one(65880800),
        one(65880900),
    ],
};

pub(super) static JCB: BrandSpec = BrandSpec {
    slug: "jcb",
    name: "JCB",
    security_code_name: "CVV",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16, 17, 18, 19],
    patterns: &[one(2131), one(1800), range(3528, 3589)],
};

pub(super) static UNIONPAY: BrandSpec = BrandSpec {
    slug: "unionpay",
    name: "UnionPay",
    security_code_name: "CVN",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[14, 15, 16, 17, 18, 19],
    patterns: &[
        one(620),
        range(62100, 62182),
        range(62184, 62187),
        range(62185, 62197),
        range(62200, 62205),
        range(622010, 622999),
        one(622018),
        range(62207, 62209),
        range(623, 626),
        one(6270),
        one(6272),
        one(6276),
        range(627700, 627779),
        range(627781, 627799),
        range(6282, 6289),
        one(6291),
        one(6292),
        one(810),
        range(8110, 8131),
        range(8132, 8151),
        range(8152, 8163),
        range(8164, 8171),
    ],
};

pub(super) static NARANJA: BrandSpec = BrandSpec {
    slug: "naranja",
    name: "Naranja",
    security_code_name: "CVV",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16],
    patterns: &[one(589562), one(402918), one(527572)],
};

pub(super) static VERVE: BrandSpec = BrandSpec {
    slug: "verve",
    name: "Verve",
    security_code_name: "CVV",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16, 18, 19],
    patterns: &[
        range(506099, 506127),
        one(506129),
        range(506133, 506150),
        range(506158, 506163),
        one(506166),
        one(506168),
        one(506170),
        one(506173),
        range(506176, 506180),
        one(506184),
        range(506187, 506188),
        one(506191),
        one(506195),
        one(506197),
        one(507865),
        one(507866),
        range(507868, 507877),
        range(507880, 507888),
        one(507900),
        one(507941),
    ],
};

pub(super) static MAESTRO: BrandSpec = BrandSpec {
    slug: "maestro",
    name: "Maestro",
    security_code_name: "CVC",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[12, 13, 14, 15, 16, 17, 18, 19],
    patterns: &[
        one(493698),
        range(500000, 504174),
        range(504176, 506698),
        range(506779, 508999),
        range(56, 59),
        one(63),
        one(67),
        one(6),
    ],
};

pub(super) static ELO: BrandSpec = BrandSpec {
    slug: "elo",
    name: "Elo",
    security_code_name: "CVE",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16],
    patterns: &[
        one(401178),
        one(401179),
        one(438935),
        one(457631),
        one(457632),
        one(431274),
        one(451416),
        one(457393),
        one(504175),
        range(506699, 506778),
        range(509000, 509999),
        one(627780),
        one(636297),
        one(636368),
        range(650031, 650033),
        range(650035, 650051),
        range(650405, 650439),
        range(650485, 650538),
        range(650541, 650598),
        range(650700, 650718),
        range(650720, 650727),
        range(650901, 650978),
        range(651652, 651679),
        range(655000, 655019),
        range(655021, 655058),
    ],
};

pub(super) static MIR: BrandSpec = BrandSpec {
    slug: "mir",
    name: "Mir",
    security_code_name: "CVP2",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16, 17, 18, 19],
    patterns: &[range(2200, 2204)],
};

pub(super) static HIPER: BrandSpec = BrandSpec {
    slug: "hiper",
    name: "Hiper",
    security_code_name: "CVC",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16],
    patterns: &[
        one(637095),
        one(63737423),
        one(63743358),
        one(637568),
        one(637599),
        one(637609),
        one(637612),
    ],
};

pub(super) static HIPERCARD: BrandSpec = BrandSpec {
    slug: "hipercard",
    name: "Hipercard",
    security_code_name: "CVC",
    security_code_length: 3,
    gaps: &[4, 8, 12],
    lengths: &[16],
    patterns: &[one(606282)],
};

#[cfg(test)]
mod tests {
    use super::super::brand::Brand;
    use super::*;
    use serde_json::{Value, json};

    fn as_json(facts: &BrandSpec) -> Value {
        let patterns: Vec<Value> = facts
            .patterns
            .iter()
            .map(|Pattern { first, last }| {
                if first == last {
                    json!(first)
                } else {
                    json!([first, last])
                }
            })
            .collect();
        json!({
            "niceType": facts.name,
            "patterns": patterns,
            "gaps": facts.gaps,
            "lengths": facts.lengths,
            "code": {"name": facts.security_code_name, "size": facts.security_code_length},
        })
    }

    #[test]
    fn the_table_equals_the_data_file() {
        let file: Value =
            serde_json::from_str(include_str!("../../data/card_brands.json")).unwrap();
        let order: Vec<&str> = Brand::ALL.iter().map(|brand| brand.slug()).collect();
        assert_eq!(file["order"], json!(order));
        assert_eq!(file["brands"].as_object().unwrap().len(), order.len());
        for brand in Brand::ALL {
            assert_eq!(
                file["brands"][brand.slug()],
                as_json(brand.facts()),
                "{brand:?}"
            );
        }
    }

    #[test]
    fn every_row_satisfies_the_assumptions_of_the_matching() {
        for brand in Brand::ALL {
            let facts = brand.facts();
            assert!(
                facts.lengths.is_sorted(),
                "{brand:?}: the last length is the longest"
            );
            assert!(
                facts
                    .lengths
                    .iter()
                    .all(|length| (12..=19).contains(length)),
                "{brand:?}"
            );
            assert!(facts.gaps.is_sorted(), "{brand:?}");
            for Pattern { first, last } in facts.patterns {
                assert!(0 < *first && first <= last, "{brand:?}: {first} to {last}");
                assert_eq!(
                    first.ilog10(),
                    last.ilog10(),
                    "{brand:?}: {first} to {last}"
                );
                assert!(first.ilog10() < LONGEST_PATTERN, "{brand:?}: {first}");
            }
        }
    }
}
