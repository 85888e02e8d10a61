//! The startup matrix: every combination of the settings that decide whether a server may start.

use crate::config::{Config, ServeFlags};
use std::collections::HashSet;

/// A setting's name in the table, and its lines in the configuration file.
type Choice = (&'static str, &'static str);

const MODES: [Choice; 3] = [
    ("live", "test_mode = false"),
    ("test", "test_mode = true"),
    (
        "test in public",
        "test_mode = true\ntest_mode_in_public = true",
    ),
];
const ORIGINS: [Choice; 4] = [
    ("http local", "public_origin = \"http://localhost:8787\""),
    ("https local", "public_origin = \"https://127.0.0.1:8787\""),
    ("http public", "public_origin = \"http://pay.example\""),
    ("https public", "public_origin = \"https://pay.example\""),
];
const LISTENERS: [Choice; 2] = [
    ("loopback", "listen = \"127.0.0.1:8787\""),
    ("anywhere", "listen = \"0.0.0.0:8787\""),
];
const TRANSPORTS: [Choice; 3] = [
    ("plain", ""),
    ("plain by name", "allow_plain_http = true"),
    ("tls", "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\""),
];
const CONTROLS: [Choice; 6] = [
    ("off", "control_listen = \"off\""),
    ("loopback", "control_listen = \"[::1]:8788\""),
    ("the same", "control_listen = \"127.0.0.1:8787\""),
    ("anywhere", "control_listen = \"0.0.0.0:8788\""),
    (
        "anywhere with token",
        "control_listen = \"0.0.0.0:8788\"\ncontrol_token_file = \"token\"",
    ),
    (
        "anywhere in plain text",
        "control_listen = \"0.0.0.0:8788\"\ncontrol_token_file = \"token\"\n\
         control_allow_plain_http = true",
    ),
];

const PROXIES: [Choice; 2] = [
    ("none", ""),
    ("named", "trusted_proxies = [\"10.0.0.0/8\"]"),
];

const ANY: &str = "";
const STARTS: &str = "";

/// Mode, origin, listener, transport, control, proxies, and the server's message; the first
/// matching row counts.
const MATRIX: [[&str; 7]; 18] = [
    [
        ANY,
        ANY,
        "anywhere",
        "plain",
        ANY,
        ANY,
        "0.0.0.0:8787 is not loopback and there is no [tls]",
    ],
    [
        ANY,
        ANY,
        "loopback",
        ANY,
        "the same",
        ANY,
        "listen and control_listen are both 127.0.0.1:8787",
    ],
    [
        ANY,
        ANY,
        ANY,
        ANY,
        "anywhere",
        ANY,
        "is not loopback and there is no control_token_file",
    ],
    [
        ANY,
        ANY,
        ANY,
        "plain",
        "anywhere with token",
        ANY,
        "its token would travel in plain text",
    ],
    [
        ANY,
        ANY,
        ANY,
        "plain by name",
        "anywhere with token",
        ANY,
        "set control_allow_plain_http = true",
    ],
    [
        "live",
        "http public",
        ANY,
        ANY,
        ANY,
        ANY,
        "public_origin = \"http://pay.example\" is plain HTTP",
    ],
    [
        "live",
        ANY,
        ANY,
        ANY,
        ANY,
        ANY,
        "providers.simulated.kind = \"simulated\" and test_mode = false",
    ],
    [
        "test",
        "http public",
        ANY,
        ANY,
        ANY,
        ANY,
        "test_mode = true and public_origin = \"http://pay",
    ],
    [
        "test",
        "https public",
        ANY,
        ANY,
        ANY,
        ANY,
        "test_mode = true and public_origin = \"https://pay",
    ],
    ["test", "http local", ANY, ANY, ANY, ANY, STARTS],
    ["test", "https local", ANY, ANY, ANY, ANY, STARTS],
    ["test in public", "http local", ANY, ANY, ANY, ANY, STARTS],
    ["test in public", "https local", ANY, ANY, ANY, ANY, STARTS],
    [
        "test in public",
        "https public",
        ANY,
        "plain",
        ANY,
        "none",
        "neither [tls] nor trusted_proxies is set",
    ],
    [
        "test in public",
        "https public",
        ANY,
        "plain by name",
        ANY,
        "none",
        "neither [tls] nor trusted_proxies is set",
    ],
    [
        "test in public",
        "http public",
        "loopback",
        "plain",
        ANY,
        "none",
        "neither [tls] nor trusted_proxies is set",
    ],
    [
        "test in public",
        "http public",
        "loopback",
        "plain by name",
        ANY,
        "none",
        "neither [tls] nor trusted_proxies is set",
    ],
    ["test in public", ANY, ANY, ANY, ANY, ANY, STARTS],
];

fn outcome(chosen: [Choice; 6]) -> String {
    // TOML tables must come last.
    let mut lines = chosen.map(|(_, lines)| lines);
    lines.sort_by_key(|lines| lines.starts_with('['));
    let config: Config = toml::from_str(&lines.join("\n")).unwrap();
    config
        .for_serving(ServeFlags::default())
        .err()
        .unwrap_or_default()
}

/// The matching row of the table.
fn check(chosen: [Choice; 6]) -> usize {
    let names = chosen.map(|(name, _)| name);
    let fits = |row: &[&str; 7]| {
        let mut pairs = row.iter().zip(&names);
        pairs.all(|(wanted, name)| *wanted == ANY || wanted == name)
    };
    let place = MATRIX.iter().position(fits);
    let place = place.unwrap_or_else(|| panic!("{names:?} is not in the table"));
    let (message, expected) = (outcome(chosen), MATRIX[place][6]);
    let fits = if expected == STARTS {
        message.is_empty()
    } else {
        message.contains(expected)
    };
    assert!(fits, "{names:?}: {message:?}, not {expected:?}");
    place
}

#[test]
fn startup_matrix_covers_every_combination_of_settings() {
    let mut used = HashSet::new();
    for mode in MODES {
        for origin in ORIGINS {
            for listener in LISTENERS {
                for transport in TRANSPORTS {
                    for control in CONTROLS {
                        for proxies in PROXIES {
                            let chosen = [mode, origin, listener, transport, control, proxies];
                            used.insert(check(chosen));
                        }
                    }
                }
            }
        }
    }
    assert_eq!(used.len(), MATRIX.len(), "a row is never used");
}

#[test]
fn incompatible_settings_are_named() {
    let rows = [
        ("provider_timeout_ms = 0", "provider_timeout_ms"),
        ("[tls]\nkey = \"key.pem\"", "both certificate and key"),
        (
            "test_mode = true\n[webhooks]\nallow = [\"here\"]",
            "webhooks.allow: here is not a network",
        ),
        (
            "test_mode = true\n[webhooks]\ndeny = [\"10.0.0.1\"]",
            "webhooks.deny: 10.0.0.1 is not a network",
        ),
        (
            "test_mode = true\ntrusted_proxies = [\"0.0.0.0/0\"]",
            "trusted_proxies holds \"0.0.0.0/0\", which is everybody",
        ),
        (
            "test_mode = true\ntrusted_proxies = [\"0.0.0.0/1\", \"128.0.0.0/1\"]",
            "trusted_proxies holds \"0.0.0.0/1\", which is everybody",
        ),
        (
            "test_mode = true\ntrusted_hops = 0",
            "trusted_hops must be from 1 to 8",
        ),
        (
            "test_mode = true\n[connections]\nmax = 0",
            "connections.max = 0",
        ),
        (
            "test_mode = true\n[hsts]\npreload = true",
            "hsts.include_subdomains = true",
        ),
        (
            "test_mode = true\ndatabase = \"postgres://u@db.example/d\"",
            "set allow_plain_database = true",
        ),
        (
            "test_mode = true\ndatabase = \"postgres://u@db.example/d?sslmode=require\"",
            "write sslmode=verify-full",
        ),
    ];
    for (text, expected) in rows {
        let config: Config = toml::from_str(text).unwrap();
        let error = config.for_serving(ServeFlags::default()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn unknown_settings_get_a_suggestion() {
    let rows = [
        ("lissten = \"127.0.0.1:1\"", "unknown field `lissten`"),
        ("[providers.one]\nkind = \"stripe\"", "expected `simulated`"),
        ("[providers.one]", "missing field `kind`"),
        (
            "[providers.one]\nkind = \"simulated\"\nkey = \"k\"",
            "unknown field `key`",
        ),
        (
            "control_listen = \"8788\"",
            "neither an address with a port, such as 127.0.0.1:8788, nor off",
        ),
    ];
    for (text, expected) in rows {
        let error = toml::from_str::<Config>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn test_mode_can_be_set_by_flags() {
    let flags = |test_mode, test_mode_in_public| ServeFlags {
        test_mode,
        test_mode_in_public,
        public_origin: Some("https://pay.example".parse().unwrap()),
        control_listen: Some("off".parse().unwrap()),
        trusted_proxy: vec!["127.0.0.1".into()],
        ..ServeFlags::default()
    };
    for (test, in_public, starts) in [
        (false, false, false),
        (false, true, false),
        (true, false, false),
        (true, true, true),
    ] {
        let started = Config::default().for_serving(flags(test, in_public));
        assert_eq!(started.is_ok(), starts, "{test} {in_public}: {started:?}");
    }
}

/// A public test server with these additional settings.
fn public(settings: &str) -> Result<Config, String> {
    let config = format!(
        "test_mode = true\ntest_mode_in_public = true\npublic_origin = \"https://pay.example\"\n\
         trusted_proxies = [\"127.0.0.1\"]\n{settings}"
    );
    let config: Config = toml::from_str(&config).unwrap();
    config.for_serving(ServeFlags::default())
}

#[test]
fn a_public_server_cannot_allow_all_webhook_addresses() {
    for network in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "2000::/3", "8.0.0.0/5"] {
        let settings = format!("[webhooks]\nallow = [\"127.0.0.0/8\", \"{network}\"]");
        let error = public(&settings).unwrap_err();
        let named = format!("webhooks.allow holds \"{network}\", which is everything");
        assert!(error.contains(&named), "{error}");
        // If only this machine reaches the server, the network is the developer's own.
        let local: Config = toml::from_str(&format!("test_mode = true\n{settings}")).unwrap();
        assert!(local.for_serving(ServeFlags::default()).is_ok());
    }
    assert!(public("[webhooks]\nallow = [\"10.0.0.0/8\", \"fd00::/8\"]").is_ok());
}

#[test]
fn public_exposure_is_warned_about_at_startup() {
    let message = |settings: &str| public(settings).unwrap().warnings().join("\n");
    assert_eq!(message(""), "");
    let no_limit = message("[rate_limit]\nper_second = 0");
    assert!(
        no_limit.starts_with("rate_limit.per_second = 0"),
        "{no_limit}"
    );
    let allowed = message("[webhooks]\nallow = [\"10.0.0.0/8\"]");
    assert!(
        allowed.starts_with("webhooks.allow = [\"10.0.0.0/8\"]"),
        "{allowed}"
    );
    let local = "test_mode = true\n[rate_limit]\nper_second = 0";
    let local: Config = toml::from_str(local).unwrap();
    assert_eq!(local.warnings(), Vec::<String>::new());
}
