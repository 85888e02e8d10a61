//! Retired names do not come back.

use super::holds;
use super::sources::{Source, files, rust_files};

/// Names that nothing in the code may have, and what it is called instead.
const RETIRED_NAMES: &[(&str, &str)] = &[
    ("AcceptOrder", "AcceptDisputeRequest"),
    ("AccountOrder", "AccountRequest"),
    ("AuthenticationWish", "AuthenticationRequirement"),
    ("Begun", "RedeliveryBatch"),
    ("Booking", "Posting"),
    ("CaptureOrder", "CaptureRequest"),
    ("ClockOrder", "ClockRequest"),
    ("Crowd", "concurrent_shoppers"),
    ("Demand", "ChallengeDecision"),
    ("DisputeOrder", "SimulatedDisputeRequest"),
    ("Entropy", "Rng"),
    ("EvidenceOrder", "EvidenceRequest"),
    ("Eyes", "DatabaseReader"),
    ("FaultOrder", "FaultRequest"),
    ("Happening", "DisputeAction"),
    ("IssuerDirectory", "BinLookup"),
    ("KeptCard", "StoredCard"),
    ("KeptDelivery", "StoredDelivery"),
    ("Mischief", "WebhookFaults"),
    ("Obstacle", "ModificationError"),
    ("Office", "BackOffice"),
    ("OpeningKey", "DecapsulationKey"),
    ("Prank", "DeliveryFault"),
    ("RedeliveryOrder", "RedeliveryRequest"),
    ("RefundOrder", "RefundRequest"),
    ("Registrar", "MerchantAdmin"),
    ("Rehearsal", "TestScenarios"),
    ("Repetition", "IdempotencyReplay"),
    ("ReturnOrder", "PayoutReturnRequest"),
    ("Silence", "ProviderError"),
    ("Staging", "EnvironmentOptions"),
    ("Street", "Traffic"),
    ("Struck", "AppliedFault"),
    ("Telling", "EventInsert"),
    ("Told", "Acknowledged"),
    ("TransferOrder", "SimulatedTransferRequest"),
    ("Treaty", "the protocol"),
    ("Vault", "KeyEncryption"),
    ("VoidOrder", "VoidRequest"),
    ("WebhookMischief", "WebhookFaultsView"),
    ("asker", "requester"),
    ("claimant", "owner"),
    ("errand", "task"),
    ("eyes", "reader"),
    ("happening", "action"),
    ("mischief", "webhook_faults"),
    ("rebinds", "key_rebind_count"),
    ("treaty", "protocol"),
];

/// The same in one folder, because elsewhere the name is another's.
const RETIRED_IN: &[(&str, &str, &str)] = &[
    ("verifier-server/src", "Beside", "EventContext"),
    ("verifier-server/src", "Refusal", "ApiError"),
    ("verifier-server/src", "Wish", "…Request, …Input, New…"),
    ("simulator/src", "Wish", "…Request, …Input, New…"),
    ("verifier-server/src", "entropy", "rng"),
    ("simulator/src", "entropy", "rng"),
    ("verifier-server/src", "gate", "auth, keys"),
    ("verifier-server/src", "edge", "system"),
    ("verifier-server/src", "unheard", "map_provider_error"),
    ("simulator/src", "unheard", "map_provider_error"),
    ("verifier-server/src", "wish", "request, input, new"),
    ("simulator/src", "wish", "request, input, new"),
    ("simulator/src", "Deed", "Action"),
    ("simulator/src", "Granted", "StepResult"),
    ("simulator/src", "Proof", "ChallengeResponse"),
    ("simulator/src", "Script", "Scenario"),
    ("simulator/src", "Silent", "Provider"),
    ("simulator/src", "Stage", "TestBank"),
    ("simulator/src", "StruckOut", "Tombstoned"),
    ("simulator/src", "Trial", "Attempt"),
    ("simulator/src", "World", "Simulation"),
    ("simulator/src", "begun", "started"),
    ("simulator/src", "book", "journal"),
    ("simulator/src", "forgive", "reset"),
    ("simulator/src", "give_back", "refund"),
    ("simulator/src", "granted", "result"),
    ("simulator/src", "is_rehearsed", "is_test_mode"),
    ("simulator/src", "judge", "check"),
    ("simulator/src", "judged", "checked"),
    ("simulator/src", "keep", "store, set"),
    ("simulator/src", "kept", "stored"),
    ("simulator/src", "let_go", "void"),
    ("simulator/src", "play", "run_scenario"),
    ("simulator/src", "proof", "response"),
    ("simulator/src", "said", "decision"),
    ("simulator/src", "script", "scenario"),
    ("simulator/src", "silent", "outcome_unknown"),
    ("simulator/src", "stage", "test"),
    ("simulator/src", "standing", "progress_of"),
    ("simulator/src", "strike", "apply"),
    ("simulator/src", "strike_out", "tombstone"),
    ("simulator/src", "struck", "applied"),
    ("simulator/src", "told", "notified"),
    ("simulator/src", "trial", "attempt"),
    ("simulator/src", "world", "simulation"),
    ("tests", "Kept", "StoredRows, StoredState"),
    ("tests", "Stage", "TestEnvironment"),
    ("tests", "World", "TestSystem"),
    ("tests", "stage", "environment"),
    ("tests", "wish", "request"),
];

/// Names that stand for storing, publishing and responding. The simulator and the tests still have
/// some.
const RETIRED_VERBS: &[(&str, &str)] = &[
    ("books", "ledger, audit, posting"),
    ("heard", "received"),
    ("keep", "record, store"),
    ("kept", "stored, recorded"),
    ("let_go", "release, void"),
    ("said", "response, message"),
    ("take_back", "delete, reverse"),
    ("tell", "publish, report"),
    ("told", "published, event"),
];

/// Where they are retired.
const WITHOUT_THEM: [&str; 4] = [
    "provider/src",
    "storage/src",
    "system/src",
    "verifier-server/src",
];

/// What merchants, testers and databases read.
const RETIRED_TEXTS: &[(&str, &str)] = &[
    ("answer_lost", "response_lost"),
    ("carried_in", "brought_forward"),
    ("carried_out", "carried_forward"),
    ("no_answer", "request_lost, response_lost"),
    ("resend_refused", "resend_not_allowed"),
    ("sales_day", "business_date"),
];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Every name but those of variants, which may be called as a type is not.
fn names(code: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_of_a_type = move |before: &str| {
        let owner = before.strip_suffix("::").unwrap_or_default();
        let owner = owner.rsplit(|c| !is_part(c)).next().unwrap_or_default();
        owner.starts_with(char::is_uppercase)
    };
    code.match_indices(is_part)
        .filter(move |(place, _)| !code[..*place].ends_with(is_part))
        .filter(move |(place, _)| !is_of_a_type(&code[..*place]))
        .map(move |(place, _)| words(&code[place..]).next().unwrap_or_default())
}

fn retired_names(source: &Source) -> Vec<String> {
    let code = source.code();
    let here = RETIRED_IN
        .iter()
        .filter(|(folder, ..)| source.is_in(folder));
    let here = here.map(|(_, retired, instead)| (*retired, *instead));
    let is_plain = WITHOUT_THEM.iter().any(|folder| source.is_in(folder));
    let verbs = RETIRED_VERBS.iter().filter(|_| is_plain).copied();
    let retired: Vec<_> = RETIRED_NAMES
        .iter()
        .copied()
        .chain(here)
        .chain(verbs)
        .collect();
    let mut found: Vec<_> = names(&code)
        .filter_map(|name| retired.iter().find(|(retired, _)| *retired == name))
        .map(|(name, instead)| format!("{}: {name} is called {instead}", source.path))
        .collect();
    if is_plain && code.contains("fn of(") {
        found.push(format!("{}: a function is called of", source.path));
    }
    found.dedup();
    found
}

fn retired_texts(source: &Source) -> Vec<String> {
    let retired = words(&source.text)
        .filter_map(|word| RETIRED_TEXTS.iter().find(|(retired, _)| *retired == word));
    let mut found: Vec<_> = retired
        .map(|(word, instead)| format!("{}: {word} is called {instead}", source.path))
        .collect();
    found.dedup();
    found
}

/// This file has them all.
fn is_another(source: &Source) -> bool {
    source.path != "tests/tests/codebase/words.rs"
}

#[test]
fn retired_names_are_not_used() {
    let sources = rust_files();
    let found = sources.iter().filter(|source| is_another(source));
    holds(
        retired_names,
        found,
        &[
            ("protocol/src/a.rs", "struct Booking;"),
            ("verifier-server/src/a.rs", "fn f(wish: u8) {}"),
            ("verifier-server/src/a.rs", "use crate::gate;"),
            ("system/src/a.rs", "let kept = 1;"),
            ("storage/src/a.rs", "pub fn of(value: u8) {}"),
        ],
        &[
            ("protocol/src/a.rs", "fn f(wish: u8) {}"),
            ("protocol/src/a.rs", "// Booking\nstruct Bookings;"),
            ("protocol/src/a.rs", "fn f() -> A { A::Booking }"),
        ],
    );
}

#[test]
fn retired_texts_are_not_used() {
    let mut sources = rust_files();
    sources.extend(files("verifier-server", &[".sql", ".json", ".js", ".toml"]));
    sources.extend(files("docs", &[".md", ".json"]));
    sources.extend(files("static", &[".js"]));
    let found = sources.iter().filter(|source| is_another(source));
    holds(
        retired_texts,
        found,
        &[("docs/a.md", "`sales_day`")],
        &[("docs/a.md", "sales_days, sales day")],
    );
}
