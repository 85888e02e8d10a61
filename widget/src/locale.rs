//! Locales as pages write them, and the one in which the form writes amounts and dates.

/// The language and region of a locale such as `de-AT`, `de_AT.UTF-8` or ` zh_Hans_CN `, without
/// extensions: one could choose digits that the texts around an amount do not use. `None` when it
/// is not a locale.
#[must_use]
pub fn base_name(locale: &str) -> Option<String> {
    let name = locale.trim().split(['.', '@']).next()?;
    let mut parts = name.split(['-', '_']);
    let language = parts.next()?;
    let is_language = matches!(language.len(), 2..=3) && is_letters(language);
    if !is_language {
        return None;
    }
    let mut base = language.to_ascii_lowercase();
    for part in parts {
        // A single letter or digit starts an extension.
        if part.len() < 2 {
            break;
        }
        let is_part = part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_part {
            return None;
        }
        base.push('-');
        base.push_str(part);
    }
    Some(base)
}

/// The locale for amounts and dates within texts of a language: the same language in the region of
/// the page or the browser, so that a date matches the sentence around it.
#[must_use]
pub fn in_language(language: &str, base_name: &str) -> String {
    if base_name.split('-').next() == Some(language) {
        return base_name.to_owned();
    }
    let is_region = |part: &&str| {
        (part.len() == 2 && is_letters(part))
            || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match base_name.split('-').skip(1).find(is_region) {
        Some(region) => [language, "-", region].concat(),
        None => language.to_owned(),
    }
}

fn is_letters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::{base_name, in_language};

    #[test]
    fn locales_of_pages_and_systems_are_reduced_to_language_and_region() {
        let rows = [
            ("de-AT", Some("de-AT")),
            ("de_DE", Some("de-DE")),
            ("de_DE.UTF-8", Some("de-DE")),
            ("de_DE@euro", Some("de-DE")),
            (" de-DE ", Some("de-DE")),
            ("DE", Some("de")),
            ("zh_Hans_CN", Some("zh-Hans-CN")),
            ("es-419", Some("es-419")),
            // Extensions that choose other digits.
            ("en-u-nu-brah", Some("en")),
            ("en-US-u-nu-sat", Some("en-US")),
            ("de-DE-u-ca-", Some("de-DE")),
            ("en-x-private", Some("en")),
            ("", None),
            ("C", None),
            ("POSIX", None),
            ("de-ÄÖ", None),
            ("de-averylongpart", None),
            ("../en", None),
        ];
        for (locale, expected) in rows {
            assert_eq!(base_name(locale).as_deref(), expected, "{locale:?}");
        }
    }

    #[test]
    fn formats_use_the_language_of_the_texts_and_the_region_of_the_page() {
        let rows = [
            ("en-IE", "en-IE"),
            ("de-AT", "en-AT"),
            ("de", "en"),
            ("zh-Hans-CN", "en-CN"),
            ("es-419", "en-419"),
            ("ar-EG", "en-EG"),
        ];
        for (locale, expected) in rows {
            assert_eq!(in_language("en", locale), expected, "{locale}");
        }
    }
}
