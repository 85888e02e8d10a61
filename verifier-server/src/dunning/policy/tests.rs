use super::{DunningPolicy, EndAction};
use sealpay_provider::decline::DeclineClass;

fn policy(json: &str) -> Result<DunningPolicy, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn the_built_in_policy_is_the_file() {
    let file = policy(include_str!("../../../data/dunning.json")).unwrap();
    assert_eq!(*DunningPolicy::built_in(), file);
    let delays = |class| (0..9).map_while(move |earlier| file.delay_hours(class, earlier));
    let later: Vec<_> = delays.clone()(DeclineClass::Later).collect();
    assert_eq!(later, [24, 72, 120, 168]);
    let back_off: Vec<_> = delays(DeclineClass::BackOff).collect();
    assert_eq!(back_off, [1, 1, 1]);
    let built_in = DunningPolicy::built_in();
    assert_eq!(
        (built_in.horizon_days(), built_in.end()),
        (30, EndAction::Cancel)
    );
    assert_eq!(built_in.payday_for("insufficient_funds"), None);
}

#[test]
fn policies_are_checked() {
    let json = |delays: &str, payday: &str, horizon: &str, end: &str| {
        format!(
            r#"{{"delays_hours":{{{delays}}},"payday":{payday},"horizon_days":{horizon},"end":"{end}"}}"#
        )
    };
    let twenty = vec!["1"; 20].join(",");
    let full = format!(r#""later":[{twenty}],"back_off":[1440]"#);
    let many = format!(r#""later":[{twenty},1]"#);
    let payday = r#"{"reasons":["insufficient_funds"],"on_days":[1,31]}"#;
    let day_0 = r#"{"reasons":[],"on_days":[0]}"#;
    let day_32 = r#"{"reasons":[],"on_days":[1,32]}"#;
    let no_day = r#"{"reasons":[],"on_days":[]}"#;
    let days = format!(
        r#"{{"reasons":[],"on_days":[{}]}}"#,
        vec!["1"; 32].join(",")
    );
    let rows = [
        ("", "null", "1", "unpaid", ""),
        (&full, payday, "90", "cancel", ""),
        (
            &many,
            "null",
            "30",
            "cancel",
            "Class later must have at most 20 delays.",
        ),
        (
            r#""back_off":[0]"#,
            "null",
            "30",
            "cancel",
            "A delay must be 1 to 1440 hours.",
        ),
        (
            r#""later":[1441]"#,
            "null",
            "30",
            "cancel",
            "A delay must be 1 to 1440 hours.",
        ),
        (
            r#""never_retry":[1]"#,
            "null",
            "30",
            "cancel",
            "Declines of class never_retry cannot",
        ),
        (
            r#""fix_data":[1]"#,
            "null",
            "30",
            "cancel",
            "Declines of class fix_data cannot",
        ),
        (
            r#""step_up":[1]"#,
            "null",
            "30",
            "cancel",
            "Declines of class step_up cannot",
        ),
        (
            r#""unknown":[1]"#,
            "null",
            "30",
            "cancel",
            "Declines of class unknown cannot",
        ),
        (r#""unknown":[]"#, "null", "30", "cancel", ""),
        (r#""approve":[]"#, "null", "30", "cancel", "unknown field"),
        (
            "",
            "null",
            "0",
            "cancel",
            "The horizon must be 1 to 90 days.",
        ),
        (
            "",
            "null",
            "91",
            "cancel",
            "The horizon must be 1 to 90 days.",
        ),
        ("", day_0, "30", "cancel", "Paydays must be 1 to 31"),
        ("", day_32, "30", "cancel", "Paydays must be 1 to 31"),
        ("", no_day, "30", "cancel", "Paydays must be 1 to 31"),
        ("", &days, "30", "cancel", "Paydays must be 1 to 31"),
        ("", "null", "30", "pause", "unknown variant"),
    ];
    for (delays, payday, horizon, end, error) in rows {
        let json = json(delays, payday, horizon, end);
        match policy(&json) {
            Ok(policy) => {
                assert_eq!(error, "", "{json}");
                let written = serde_json::to_string(&policy).unwrap();
                assert_eq!(serde_json::from_str(&written).map_err(drop), Ok(policy));
            }
            Err(found) => assert!(
                !error.is_empty() && found.contains(error),
                "{json}: {found}"
            ),
        }
    }
}

#[test]
fn end_actions_have_the_names_of_the_api() {
    for end in [EndAction::Cancel, EndAction::Unpaid, EndAction::Keep] {
        let name = format!("{end:?}").to_lowercase();
        let json = format!("\"{name}\"");
        assert_eq!(serde_json::to_string(&end).unwrap(), json);
        assert_eq!(serde_json::from_str::<EndAction>(&json).unwrap(), end);
    }
}
