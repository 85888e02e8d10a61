use super::{Appearance, AppearanceRequest, Colour, Look};

#[test]
fn only_valid_values_are_accepted() {
    let request = AppearanceRequest {
        accent: Some("#0a7B3c"),
        radius: Some(24),
        spacing: Some(8),
        size: Some(20),
        font: Some("serif"),
        density: Some("compact"),
        frame: Some("card"),
        summary: Some(false),
        button: Some(false),
        ..AppearanceRequest::default()
    };
    let appearance = Appearance::validated(&request);
    assert_eq!(appearance.accent.unwrap().css(), "#0a7B3c");
    assert_eq!(appearance.radius_px, Some(24));
    assert_eq!(
        (appearance.spacing_px, appearance.size_px),
        (Some(8), Some(20))
    );
    assert!(appearance.font.unwrap().starts_with("ui-serif"));
    assert!(appearance.is_compact && appearance.is_framed);
    let hidden = Look {
        hides_summary: true,
        hides_button: true,
    };
    assert_eq!(appearance.look, hidden);

    let rows = [
        "",
        "#fff",
        "#1234567",
        "red",
        "#12345g",
        "#+12345",
        "url(x)",
        "#12345\u{e9}",
    ];
    for colour in rows {
        let request = AppearanceRequest {
            accent: Some(colour),
            background: Some(colour),
            ..AppearanceRequest::default()
        };
        assert_eq!(
            Appearance::validated(&request),
            Appearance::default(),
            "{colour}"
        );
    }
    for pixels in [-1, 25, 256, i64::MAX] {
        let request = AppearanceRequest {
            radius: Some(pixels),
            spacing: Some(pixels),
            size: Some(pixels),
            ..AppearanceRequest::default()
        };
        assert_eq!(
            Appearance::validated(&request),
            Appearance::default(),
            "{pixels}"
        );
    }
    let request = AppearanceRequest {
        font: Some("x;}"),
        density: Some("tiny"),
        frame: Some("gold"),
        summary: Some(true),
        spacing: Some(7),
        size: Some(13),
        ..AppearanceRequest::default()
    };
    assert_eq!(Appearance::validated(&request), Appearance::default());
}

#[test]
fn illegible_colours_are_ignored() {
    // background, text, border, danger, and which of the three are accepted
    let rows = [
        (
            "#ffffff", "#222222", "#767676", "#b00020", "#222222", true, true,
        ),
        (
            "#ffffff", "#bbbbbb", "#dddddd", "#ff9999", "#000", false, false,
        ),
        (
            "#101010", "#eeeeee", "#8a8a8a", "#ffb3ab", "#eeeeee", true, true,
        ),
        (
            "#101010", "#333333", "#222222", "#5a0000", "#fff", false, false,
        ),
        ("#ffffff", "none", "", "red", "#000", false, false),
    ];
    for (background, text, border, danger, written, has_border, has_danger) in rows {
        let appearance = Appearance::validated(&AppearanceRequest {
            background: Some(background),
            text: Some(text),
            border: Some(border),
            danger: Some(danger),
            ..AppearanceRequest::default()
        });
        let ground = appearance.ground.unwrap();
        assert_eq!(ground.text, written, "{background} {text}");
        assert_eq!(ground.border.is_some(), has_border, "{background} {border}");
        assert_eq!(ground.danger.is_some(), has_danger, "{background} {danger}");
        assert_eq!(ground.is_dark(), background == "#101010");
    }
}

#[test]
fn text_colours_need_a_background() {
    let request = AppearanceRequest {
        text: Some("#000000"),
        border: Some("#000000"),
        danger: Some("#000000"),
        ..AppearanceRequest::default()
    };
    assert_eq!(Appearance::validated(&request), Appearance::default());
}

#[test]
fn text_on_any_accent_is_legible() {
    let rows = [
        ("#000000", "#fff"),
        ("#ffffff", "#000"),
        ("#ffff00", "#000"),
        ("#0000ff", "#fff"),
        ("#ff0000", "#000"),
        ("#0f5e63", "#fff"),
        ("#7fd3cc", "#000"),
        ("#757575", "#fff"),
        ("#777777", "#000"),
    ];
    for (accent, text) in rows {
        assert_eq!(
            Colour::parse(accent).unwrap().text_on_it(),
            text,
            "{accent}"
        );
    }
}
