//! Card brands, and which of them a number that is being typed may belong to.

use super::brand_table::{self as table, BrandSpec, LONGEST_PATTERN, Pattern};

/// A card brand. The variants stand in the order that breaks ties.
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
    /// Every brand, in the order that breaks ties.
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

    /// The brand with that [`slug`](Self::slug).
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

    /// After how many digits the number is printed with a space, ascending.
    pub fn gaps(self) -> &'static [u8] {
        self.facts().gaps
    }

    /// How many digits a number may have, ascending.
    pub fn lengths(self) -> &'static [u8] {
        self.facts().lengths
    }

    /// Whether the last digit is a Luhn check digit. UnionPay issues numbers where it is not.
    pub fn requires_luhn(self) -> bool {
        self != Brand::UnionPay
    }
}

/// The brands that a number may belong to, as far as it is typed. A set, in the order of
/// [`Brand::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// One bit for each of [`Brand::ALL`], the first brand in the lowest bit.
    members: u16,
    /// The brand whose longest pattern is already typed whole.
    strongest: Option<Brand>,
}

impl Candidates {
    /// How many brands are still possible.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether no known brand has such numbers.
    pub fn is_empty(self) -> bool {
        self.members == 0
    }

    /// The brand, once there is no other left.
    pub fn only(self) -> Option<Brand> {
        let mut brands = self.iter();
        brands.next().filter(|_| brands.next().is_none())
    }

    /// The only brand, or else the likeliest: the one of which most is typed already.
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

/// The brands of a set of [`Candidates`], one after the other.
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

/// The brands that the number beginning with these ASCII digits may belong to; other characters
/// are passed over.
///
/// What is typed is compared with each pattern as far as both go. The first pattern of a brand
/// that agrees makes the brand a candidate, of the strength of the pattern's digits once all of
/// them are typed. When every candidate has a strength, only the strongest is left, and among
/// equals the earlier. Nothing typed yet agrees with everything.
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

/// The first digits of a number, as many as any pattern looks at.
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

    /// How many digits the first pattern has that agrees with this beginning.
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
