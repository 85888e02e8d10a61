//! Compares brand detection with a slow reference that applies the `match_rule` of
//! `data/card_brands.json` literally.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::sync::LazyLock;

use proptest::prelude::*;
use sealpay_protocol::card::{Brand, brand};
use serde_json::Value;

static FILE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/card_brands.json")).unwrap());

/// Each brand in order, with the first and the last text of each of its patterns.
type Patterns = Vec<(String, Vec<(String, String)>)>;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let ends_of = |pattern: &Value| match pattern {
        Value::Array(ends) => (ends[0].to_string(), ends[1].to_string()),
        single => (single.to_string(), single.to_string()),
    };
    let patterns_of = |slug: &Value| {
        let slug = slug.as_str().unwrap();
        let patterns = FILE["brands"][slug]["patterns"].as_array().unwrap();
        (slug.to_owned(), patterns.iter().map(ends_of).collect())
    };
    FILE["order"]
        .as_array()
        .unwrap()
        .iter()
        .map(patterns_of)
        .collect()
});

/// The slugs that the rule returns.
fn reference(typed: &str) -> Vec<&'static str> {
    let mut candidates: Vec<(&str, Option<usize>)> = Vec::new();
    for (slug, patterns) in PATTERNS.iter() {
        for (first, last) in patterns {
            // For digits of equal length, text order is number order.
            let compared = typed.len().min(first.len());
            let prefix = &typed[..compared];
            if first[..compared] <= *prefix && *prefix <= last[..compared] {
                let strength = (typed.len() >= first.len()).then_some(first.len());
                candidates.push((slug, strength));
                break;
            }
        }
    }
    let strengths: Option<Vec<usize>> = candidates.iter().map(|(_, strength)| *strength).collect();
    if let Some(strongest) = strengths.and_then(|strengths| strengths.into_iter().max()) {
        let first = candidates
            .into_iter()
            .find(|(_, strength)| *strength == Some(strongest));
        return vec![first.unwrap().0];
    }
    candidates.into_iter().map(|(slug, _)| slug).collect()
}

fn ours(typed: &str) -> Vec<&'static str> {
    brand::candidates(typed)
        .into_iter()
        .map(|brand| brand.slug())
        .collect()
}

#[test]
fn candidates_follow_the_rule_for_prefixes_up_to_six_digits() {
    // All prefixes up to five digits, and every seventh of six.
    for length in 0..=5_usize {
        for value in 0..10_u32.pow(u32::try_from(length).unwrap()) {
            let typed = if length == 0 {
                String::new()
            } else {
                format!("{value:0length$}")
            };
            assert_eq!(ours(&typed), reference(&typed), "{typed}");
        }
    }
    for value in (0..1_000_000).step_by(7) {
        let typed = format!("{value:06}");
        assert_eq!(ours(&typed), reference(&typed), "{typed}");
    }
}

#[test]
fn candidates_follow_the_rule_at_the_bounds_of_every_pattern() {
    for brand in FILE["brands"].as_object().unwrap().values() {
        for pattern in brand["patterns"].as_array().unwrap() {
            let ends = pattern
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![pattern.clone()]);
            for end in ends.iter().map(|end| end.as_u64().unwrap()) {
                for value in [end - 1, end, end + 1] {
                    for rest in ["", "0", "9", "00", "99", "000000", "999999999999"] {
                        let typed = format!("{value}{rest}");
                        assert_eq!(ours(&typed), reference(&typed), "{typed}");
                    }
                }
            }
        }
    }
}

/// Random digits, often after the prefix of a brand.
fn beginning() -> impl Strategy<Value = String> {
    let patterns: Vec<String> = FILE["brands"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|brand| brand["patterns"].as_array().unwrap())
        .map(|pattern| pattern.get(0).unwrap_or(pattern).to_string())
        .collect();
    prop_oneof![
        "[0-9]{0,19}",
        (prop::sample::select(patterns), "[0-9]{0,13}")
            .prop_map(|(pattern, rest)| format!("{pattern}{rest}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn candidates_follow_the_rule_for_random_digits(typed in beginning()) {
        prop_assert_eq!(ours(&typed), reference(&typed));
    }

    #[test]
    fn candidate_set_methods_are_consistent(typed in beginning()) {
        let candidates = brand::candidates(&typed);
        let brands: Vec<Brand> = candidates.iter().collect();
        prop_assert!(brands.is_sorted());
        prop_assert_eq!(candidates.len(), brands.len());
        prop_assert_eq!(candidates.is_empty(), brands.is_empty());
        for brand in Brand::ALL {
            prop_assert_eq!(candidates.contains(brand), brands.contains(&brand));
        }
        match brands[..] {
            [brand] => {
                prop_assert_eq!(candidates.only(), Some(brand));
                prop_assert_eq!(candidates.best(), Some(brand));
            }
            _ => {
                prop_assert_eq!(candidates.only(), None);
                prop_assert!(candidates.best().is_none_or(|best| brands.contains(&best)));
            }
        }
    }
}

#[test]
fn the_brand_is_detected_while_the_number_is_typed() {
    use Brand::*;
    let rows: &[(&str, &[Brand], Option<Brand>)] = &[
        ("", &Brand::ALL, None),
        ("0", &[], None),
        ("4", &[Visa, Naranja, Maestro, Elo], Some(Visa)),
        ("42", &[Visa], Some(Visa)),
        ("401178", &[Elo], Some(Elo)),
        ("401179", &[Elo], Some(Elo)),
        ("402918", &[Naranja], Some(Naranja)),
        ("3", &[AmericanExpress, DinersClub, Jcb], None),
        ("35", &[Jcb], Some(Jcb)),
        ("34", &[AmericanExpress], Some(AmericanExpress)),
        ("5", &[Mastercard, Naranja, Verve, Maestro, Elo], None),
        ("62", &[UnionPay, Maestro, Elo], Some(Maestro)),
        ("65", &[Discover, Troy, Maestro, Elo], Some(Discover)),
        ("2720", &[Mastercard], Some(Mastercard)),
        ("2721", &[], None),
        ("99", &[], None),
    ];
    for (typed, brands, best) in rows {
        let candidates = brand::candidates(typed);
        assert_eq!(candidates.iter().collect::<Vec<_>>(), *brands, "{typed}");
        assert_eq!(candidates.best(), *best, "{typed}");
    }
}

#[test]
fn other_characters_are_skipped() {
    assert_eq!(brand::candidates("3 7-8x"), brand::candidates("378"));
}

#[test]
fn brands_equal_the_data_file_and_are_found_by_slug() {
    for brand in Brand::ALL {
        let facts = &FILE["brands"][brand.slug()];
        assert_eq!(facts["niceType"], brand.name());
        assert_eq!(facts["gaps"], Value::from(brand.gaps()));
        assert_eq!(facts["lengths"], Value::from(brand.lengths()));
        assert_eq!(facts["code"]["name"], brand.security_code_name());
        assert_eq!(facts["code"]["size"], brand.security_code_length());
        assert_eq!(brand.requires_luhn(), brand.slug() != "unionpay");
        assert_eq!(Brand::from_slug(brand.slug()), Some(brand));
    }
    assert_eq!(Brand::from_slug("Visa"), None);
    assert_eq!(Brand::from_slug(""), None);
}
