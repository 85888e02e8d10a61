//! Each of the three headers of a request signature has exactly one accepted form.

use crate::request_signature::{PARTS, judged, signed_parts};
use crate::world::{self, counting};
use sealpay_protocol::encoding::{base64, base64url};
use sealpay_protocol::sign::verify::SignatureError;
use sealpay_protocol::sign::{SignedHeaders, content_digest};

use SignatureError::{DigestMismatch, Invalid, Malformed};

#[test]
fn signature_input_has_one_form() {
    let good = signed_parts(&PARTS).signature_input;
    let (list, parameters) = good.split_at(good.find(')').unwrap() + 1);
    let keyid = world::ephemeral_thumbprint();
    let nonce = base64url(&counting::<16>(5));
    let replaced = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        text
    };
    let rows = [
        ("empty", String::new()),
        ("no structured field", "sig=(".into()),
        ("no parameters", list.into()),
        ("no components", format!("sig=(){parameters}")),
        (
            "components exchanged",
            replaced("\"@method\" \"@authority\"", "\"@authority\" \"@method\""),
        ),
        ("a component missing", replaced("\"@query\" ", "")),
        (
            "the last component missing",
            replaced(" \"sealpay-session\"", ""),
        ),
        (
            "a component more",
            replaced("\"@query\"", "\"@query\" \"date\""),
        ),
        (
            "a component twice",
            replaced("\"@query\"", "\"@query\" \"@query\""),
        ),
        (
            "@target-uri in place of @path",
            replaced("\"@path\"", "\"@target-uri\""),
        ),
        (
            "capitals in a component",
            replaced("\"content-type\"", "\"Content-Type\""),
        ),
        (
            "a component that is a token",
            replaced("\"content-type\"", "content-type"),
        ),
        (
            "a component with ;sf",
            replaced("\"content-digest\"", "\"content-digest\";sf"),
        ),
        (
            "a component with ;bs",
            replaced("\"content-digest\"", "\"content-digest\";bs"),
        ),
        (
            "a component with ;req",
            replaced("\"@method\"", "\"@method\";req"),
        ),
        (
            "a component with ;tr",
            replaced("\"content-type\"", "\"content-type\";tr"),
        ),
        (
            "a component with ;key",
            replaced("\"content-digest\"", "\"content-digest\";key=\"sha-256\""),
        ),
        ("another label", replaced("sig=", "sig1=")),
        ("capitals in the label", replaced("sig=", "SIG=")),
        ("two labels", format!("{good}, sig2={}", &good[4..])),
        (
            "two labels, ours last",
            format!("sig0={}, {good}", &good[4..]),
        ),
        ("the same label twice", format!("{good}, {good}")),
        ("a parameter more", format!("{good};extra=1")),
        ("a parameter that is a flag", format!("{good};extra")),
        ("a parameter twice", format!("{good};tag=\"sealpay-v1\"")),
        (
            "created twice",
            replaced(";expires", ";created=1763800000;expires"),
        ),
        ("no created", replaced(";created=1763800000", "")),
        ("no expires", replaced(";expires=1763800060", "")),
        ("no nonce", replaced(&format!(";nonce=\"{nonce}\""), "")),
        ("no alg", replaced(";alg=\"ed25519\"", "")),
        (
            "no keyid",
            replaced(&format!(";keyid=\"{}\"", keyid.as_str()), ""),
        ),
        ("no tag", replaced(";tag=\"sealpay-v1\"", "")),
        (
            "parameters exchanged",
            replaced(
                ";created=1763800000;expires=1763800060",
                ";expires=1763800060;created=1763800000",
            ),
        ),
        (
            "expires a second early",
            replaced("expires=1763800060", "expires=1763800059"),
        ),
        (
            "expires a second late",
            replaced("expires=1763800060", "expires=1763800061"),
        ),
        (
            "expires in a day",
            replaced("expires=1763800060", "expires=1763886400"),
        ),
        (
            "created is a text",
            replaced("created=1763800000", "created=\"1763800000\""),
        ),
        (
            "created is a decimal",
            replaced("created=1763800000", "created=1763800000.0"),
        ),
        (
            "created is a date",
            replaced("created=1763800000", "created=@1763800000"),
        ),
        (
            "created has a leading zero",
            replaced("created=1763800000", "created=01763800000"),
        ),
        (
            "created is negative",
            replaced(
                "created=1763800000;expires=1763800060",
                "created=-60;expires=0",
            ),
        ),
        (
            "created is too large",
            replaced("created=1763800000", "created=9999999999999999"),
        ),
        (
            "another alg",
            replaced("alg=\"ed25519\"", "alg=\"hmac-sha256\""),
        ),
        (
            "capitals in alg",
            replaced("alg=\"ed25519\"", "alg=\"Ed25519\""),
        ),
        ("alg is a token", replaced("alg=\"ed25519\"", "alg=ed25519")),
        (
            "another tag",
            replaced("tag=\"sealpay-v1\"", "tag=\"sealpay-v2\""),
        ),
        ("an empty tag", replaced("tag=\"sealpay-v1\"", "tag=\"\"")),
        ("an empty nonce", replaced(&nonce, "")),
        ("a short nonce", replaced(&nonce, &nonce[..20])),
        ("a long nonce", replaced(&nonce, &format!("{nonce}AA"))),
        ("a padded nonce", replaced(&nonce, &format!("{nonce}=="))),
        (
            "a nonce of the other alphabet",
            replaced(&nonce, &nonce.replacen('B', "+", 1)),
        ),
        (
            "a nonce with trailing bits",
            replaced(&nonce, &format!("{}B", &nonce[..21])),
        ),
        (
            "a nonce of bytes",
            replaced(&format!("\"{nonce}\""), ":BQYHCAkKCwwNDg8QERITFA==:"),
        ),
        (
            "a short keyid",
            replaced(keyid.as_str(), &keyid.as_str()[..42]),
        ),
        (
            "a keyid that is no thumbprint",
            replaced(keyid.as_str(), "test-key-ed25519"),
        ),
        ("a space before", format!(" {good}")),
        ("a space behind", format!("{good} ")),
        (
            "two spaces between components",
            replaced("\"@method\" ", "\"@method\"  "),
        ),
        (
            "a space before a parameter",
            replaced(";created", "; created"),
        ),
        ("a parenthesis left open", replaced(")", "")),
        ("an item in place of a list", "sig=\"@method\"".into()),
        ("a line break", replaced(";created", "\n;created")),
        ("beyond ASCII", replaced("sealpay-v1", "sealpay-v１")),
        ("too long", format!("{good};{}", "a".repeat(1024))),
    ];
    let headers = signed_parts(&PARTS);
    for (name, signature_input) in rows {
        let headers = SignedHeaders {
            signature_input,
            ..headers.clone()
        };
        assert_eq!(
            judged(&headers, &PARTS),
            Err(Malformed),
            "{name}: {}",
            headers.signature_input
        );
    }
}

#[test]
fn signature_has_one_form() {
    let headers = signed_parts(&PARTS);
    let good = headers.signature.clone();
    let inner = &good[5..good.len() - 1];
    let rows = [
        ("empty", String::new()),
        ("no bytes", "sig=::".into()),
        ("63 bytes", format!("sig=:{}:", base64(&[1; 63]))),
        ("65 bytes", format!("sig=:{}:", base64(&[1; 65]))),
        ("another label", good.replacen("sig", "sig1", 1)),
        ("capitals in the label", good.replacen("sig", "SIG", 1)),
        ("capitals in the base64 and the label", good.to_uppercase()),
        ("two labels", format!("{good}, sig2=:{inner}:")),
        ("the same label twice", format!("{good}, {good}")),
        ("a parameter", format!("{good};a=1")),
        ("a text", format!("sig=\"{inner}\"")),
        ("a list", format!("sig=(:{inner}:)")),
        ("no colon at the end", format!("sig=:{inner}")),
        ("no colons", format!("sig={inner}")),
        (
            "no padding",
            format!("sig=:{}:", inner.trim_end_matches('=')),
        ),
        ("trailing bits", format!("sig=:{}B==:", &inner[..85])),
        ("a space behind", format!("{good} ")),
        (
            "a space inside",
            format!("sig=:{} {}:", &inner[..40], &inner[40..]),
        ),
        ("too long", format!("sig=:{}:", "A".repeat(1024))),
    ];
    for (name, signature) in rows {
        let headers = SignedHeaders {
            signature,
            ..headers.clone()
        };
        assert_eq!(
            judged(&headers, &PARTS),
            Err(Malformed),
            "{name}: {}",
            headers.signature
        );
    }
    // In capitals it is still base64 of 64 bytes, but of different ones.
    let signature = format!("sig=:{}:", inner.to_uppercase());
    let judgement = judged(
        &SignedHeaders {
            signature,
            ..headers
        },
        &PARTS,
    );
    assert!(
        matches!(judgement, Err(Malformed | Invalid)),
        "{judgement:?}"
    );
}

#[test]
fn content_digest_has_one_form() {
    let headers = signed_parts(&PARTS);
    let good = headers.content_digest.clone();
    let inner = good.strip_prefix("sha-256=").unwrap();
    let rows = [
        ("empty", String::new()),
        ("another algorithm", format!("sha-512={inner}")),
        (
            "an insecure algorithm",
            "md5=:Sd/dVLAcvNLSq16eXua5uQ==:".into(),
        ),
        ("capitals", format!("SHA-256={inner}")),
        ("a second digest", format!("{good}, sha-512={inner}")),
        ("the same digest twice", format!("{good}, {good}")),
        ("a parameter", format!("{good};a=1")),
        ("31 bytes", format!("sha-256=:{}:", base64(&[0; 31]))),
        ("33 bytes", format!("sha-256=:{}:", base64(&[0; 33]))),
        (
            "no padding",
            good.replace('=', "").replacen("sha-256", "sha-256=", 1),
        ),
        ("hexadecimal", format!("sha-256=:{}:", "0".repeat(64))),
        (
            "the old header's form",
            good.replacen("sha-256=:", "SHA-256=", 1)
                .trim_end_matches(':')
                .into(),
        ),
        ("a space behind", format!("{good} ")),
        ("too long", format!("sha-256=:{}:", "A".repeat(1024))),
    ];
    for (name, content_digest) in rows {
        let headers = SignedHeaders {
            content_digest,
            ..headers.clone()
        };
        assert_eq!(
            judged(&headers, &PARTS),
            Err(Malformed),
            "{name}: {}",
            headers.content_digest
        );
    }
    // Well formed, but of another body.
    let content_digest = content_digest(b"");
    let headers = SignedHeaders {
        content_digest,
        ..headers
    };
    assert_eq!(judged(&headers, &PARTS), Err(DigestMismatch));
}
