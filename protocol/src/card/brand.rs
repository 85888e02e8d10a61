//! Card brands, and detection of the brand while a number is being typed.

use super::brand_table::{self as table, BrandSpec, LONGEST_PATTERN, Pattern};

/// A card brand. Ties are broken in the order of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    AmericanExpress,
    /// Diners Club.
    DinersClub,
    /// Discover.
    Discover,
    /// Troy.
    Troy,
    /// JCB.
    Jcb,
    /// UnionPay.
    UnionPay,
    /// Naranja.
    Naranja,
    /// Verve.
    Verve,
    /// Maestro.
    Maestro,
    /// Elo.
    Elo,
    /// Mir.
    Mir,
    /// Hiper.
    Hiper,
    /// Hipercard.
    Hipercard,
}

impl Brand {
    /// Every brand, in tie-breaking order.
    pub const ALL: [Brand; 15] = [
        Brand::Visa,
        Brand::Mastercard,
        Brand::AmericanExpress,
        Brand::DinersClub,
        Brand::Discover,
        Brand::Troy,
        Brand::Jcb,
        Brand::UnionPay,
        Brand::Naranja,
        Brand::Verve,
        Brand::Maestro,
        Brand::Elo,
        Brand::Mir,
        Brand::Hiper,
        Brand::Hipercard,
    ];

    pub(super) fn facts(self) -> &'static BrandSpec {
        match self {
            Brand::Visa => &table::VISA,
            Brand::Mastercard => &table::MASTERCARD,
            Brand::AmericanExpress => &table::AMERICAN_EXPRESS,
            Brand::DinersClub => &table::DINERS_CLUB,
            Brand::Discover => &table::DISCOVER,
            Brand::Troy => &table::TROY,
            Brand::Jcb => &table::JCB,
            Brand::UnionPay => &table::UNIONPAY,
            Brand::Naranja => &table::NARANJA,
            Brand::Verve => &table::VERVE,
            Brand::Maestro => &table::MAESTRO,
            Brand::Elo => &table::ELO,
            Brand::Mir => &table::MIR,
            Brand::Hiper => &table::HIPER,
            Brand::Hipercard => &table::HIPERCARD,
        }
    }

    /// The stable name for machines, such as `american-express`.
    pub fn slug(self) -> &'static str {
        self.facts().slug
    }

    /// Returns the brand with this [`slug`](Self::slug).
    pub fn from_slug(slug: &str) -> Option<Brand> {
        Brand::ALL.into_iter().find(|brand| brand.slug() == slug)
    }

    /// The name for people, such as `American Express`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What the brand calls its security code, such as `CVV`.
    pub fn security_code_name(self) -> &'static str {
        self.facts().security_code_name
    }

    /// How many digits the security code has.
    pub fn security_code_length(self) -> u8 {
        self.facts().security_code_length
    }

    /// Positions in the number where a space is printed, ascending.
    pub fn gaps(self) -> &'static [u8] {
        self.facts().gaps
    }

    /// Valid lengths of a number, ascending.
    pub fn lengths(self) -> &'static [u8] {
        self.facts().lengths
    }

    /// Whether the last digit is a Luhn check digit. UnionPay issues numbers where it is not.
    pub fn requires_luhn(self) -> bool {
        self != Brand::UnionPay
    }
}

/// The brands that a partly typed number may belong to: a set, in the order of [`Brand::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// One bit for each of [`Brand::ALL`], the first brand in the lowest bit.
    members: u16,
    /// The brand with the longest pattern that is completely typed.
    strongest: Option<Brand>,
}

impl Candidates {
    /// How many brands are still possible.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether no known brand matches the number.
    pub fn is_empty(self) -> bool {
        self.members == 0
    }

    /// The brand, if only one is possible.
    pub fn only(self) -> Option<Brand> {
        let mut brands = self.iter();
        brands.next().filter(|_| brands.next().is_none())
    }

    /// The only possible brand, or the one whose pattern matches the most typed digits.
    pub fn best(self) -> Option<Brand> {
        self.only().or(self.strongest)
    }

    /// Whether `brand` is still possible.
    pub fn contains(self, brand: Brand) -> bool {
        self.iter().any(|candidate| candidate == brand)
    }

    /// The brands in the order of [`Brand::ALL`].
    pub fn iter(self) -> CandidatesIter {
        CandidatesIter {
            members: self.members,
            brands: Brand::ALL.iter(),
        }
    }
}

impl IntoIterator for Candidates {
    type Item = Brand;
    type IntoIter = CandidatesIter;

    fn into_iter(self) -> CandidatesIter {
        self.iter()
    }
}

/// Iterates over the brands in [`Candidates`].
#[derive(Clone, Debug)]
pub struct CandidatesIter {
    members: u16,
    brands: core::slice::Iter<'static, Brand>,
}

impl Iterator for CandidatesIter {
    type Item = Brand;

    fn next(&mut self) -> Option<Brand> {
        for brand in self.brands.by_ref() {
            let is_member = self.members & 1 == 1;
            self.members >>= 1;
            if is_member {
                return Some(*brand);
            }
        }
        None
    }
}

/// Returns the brands of numbers that begin with these ASCII digits; other characters are skipped.
///
/// Compares the digits with each pattern over their common length. The first matching pattern makes
/// its brand a candidate; once the pattern is completely typed, its length is the candidate's
/// strength. When every candidate has a strength, only the strongest remains, and the first one of
/// equals. An empty text matches every brand.
pub fn candidates(digits: &str) -> Candidates {
    let typed = Beginning::from_digits(digits);
    let mut members = 0_u16;
    let mut next_member = 1_u16;
    let mut strongest: Option<(Brand, u16, u32)> = None;
    let mut all_are_strong = true;
    for brand in Brand::ALL {
        let this_member = next_member;
        next_member <<= 1;
        let Some(length) = typed.first_match(brand.facts().patterns) else {
            continue;
        };
        members |= this_member;
        if length > typed.length {
            all_are_strong = false;
        } else if strongest.is_none_or(|(_, _, so_far)| so_far < length) {
            strongest = Some((brand, this_member, length));
        }
    }
    match strongest {
        Some((brand, member, _)) if all_are_strong => Candidates {
            members: member,
            strongest: Some(brand),
        },
        _ => Candidates {
            members,
            strongest: strongest.map(|(brand, _, _)| brand),
        },
    }
}

/// The leading digits of a number, as many as the longest pattern has.
struct Beginning {
    value: u32,
    length: u32,
}

impl Beginning {
    fn from_digits(digits: &str) -> Beginning {
        let mut beginning = Beginning {
            value: 0,
            length: 0,
        };
        for byte in digits.bytes().filter(u8::is_ascii_digit) {
            if beginning.length == LONGEST_PATTERN {
                break;
            }
            beginning.value = beginning.value * 10 + u32::from(byte - b'0');
            beginning.length += 1;
        }
        beginning
    }

    /// Returns the length of the brand's first pattern that matches.
    fn first_match(&self, patterns: &[Pattern]) -> Option<u32> {
        patterns.iter().find_map(|pattern| {
            let length = pattern.first.ilog10() + 1;
            let compared = length.min(self.length);
            let typed = self.value / 10_u32.pow(self.length - compared);
            let dropped = 10_u32.pow(length - compared);
            let agrees = (pattern.first / dropped..=pattern.last / dropped).contains(&typed);
            agrees.then_some(length)
        })
    }
}
