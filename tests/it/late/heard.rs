//! What desks and customers say of one another: who called, which number it is about, that the fault is back.

use super::*;

const ANTTI: &str = "Antti Aalto <antti@firma.example>";
const ON_A: (&str, &str) = ("mail", "a@posti.example");
const ON_C: (&str, &str) = ("phone", "c");

#[tokio::test]
async fn a_note_tells_who_called() {
    check(story(
        "without a number",
        vec![
            letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
            phone("c", "03-04 14:00", "anonymous"),
            note("n", "03-04 14:10", ON_C, "Soittaja Minna Virtanen, tilaus 40012345."),
        ],
        "a c n",
        "a c n",
    ))
    .await;
    check(story(
        "and a mail of the same name gives the number later",
        vec![
            phone("c", "03-04 14:00", PHONE),
            note("n", "03-04 14:10", ON_C, "Soittaja oli Minna Virtanen."),
            letter("a", "03-05 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen\nPuh. 040 123 4567"),
        ],
        "a c n",
        "a c n",
    ))
    .await;
    check(story(
        "of whom another name gives the number",
        vec![
            phone("c", "03-04 14:00", PHONE),
            note("n", "03-04 14:10", ON_C, "Soittaja oli Minna Virtanen."),
            letter("b", "03-05 10:00", PEKKA, "Lamppu on rikki.\n\nPekka Laine\nPuh. 040 123 4567"),
        ],
        "b | c n",
        "b | c n",
    ))
    .await;
    check(story(
        "which of several matters it was about",
        vec![
            titled("a", "03-01 10:00", MINNA, "Lamppu", "Tilaus 40012345 on rikki.\n\nMinna Virtanen\n040 123 4567"),
            titled("b", "03-02 10:00", MINNA, "Hylly", "Tilaus 40099999 puuttuu.\n\nMinna Virtanen"),
            phone("c", "03-04 14:00", PHONE),
            note("n", "03-04 14:10", ON_C, "Minna Virtanen, 40012345: asentaja tulee."),
        ],
        "a b c n",
        "a c n | b",
    ))
    .await;
}

#[tokio::test]
async fn what_several_people_use_is_nobodys() {
    check(story(
        "a telephone by which two called",
        vec![
            letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"),
            phone("c", "03-04 14:00", PHONE),
            note("n", "03-04 14:10", ON_C, "Soittaja Minna Virtanen, tilaus 40012345."),
            phone("e", "03-05 14:00", PHONE),
            note("m", "03-05 14:10", ("phone", "e"), "Soittaja Pekka Laine, kysyi aukioloja."),
        ],
        "a | c e m n (shared)",
        "a | c n | e m",
    ))
    .await;
    check(story(
        "a choir's mailbox, signed by whoever looks after it",
        vec![
            letter(
                "a",
                "03-03 10:00",
                "Kuoro Kaiku <kaiku@posti.example>",
                "Hei!\n\nMinna Virtanen\nPuh. 040 123 4567",
            ),
            phone("c", "03-04 14:00", PHONE),
        ],
        "a | c",
        "a | c",
    ))
    .await;
}

#[tokio::test]
async fn a_number_that_the_desk_gave() {
    let chat = || browser("x", "03-06 10:00", "V1", "Koska tilaus 40012345 tulee?\n\nT. Minna Virtanen");
    check(story(
        "to her alone is hers in a browser too",
        vec![
            letter("a", "03-03 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen"),
            told("d", "03-03 12:00", ON_A, "minna@posti.example", "Hei, uusi tilaus on 40012345."),
            chat(),
        ],
        "a d x",
        "a d x",
    ))
    .await;
    check(story(
        "that she had named herself stands on her bill",
        vec![letter("a", "03-03 10:00", MINNA, "Tilaus 40012345 puuttuu.\n\nMinna Virtanen"), chat()],
        "a | x",
        "a | x",
    ))
    .await;
}

#[tokio::test]
async fn what_was_mended_is_back() {
    let before = || {
        vec![
            letter("a", "03-01 10:00", MINNA, "Lamppu on rikki.\n\nMinna Virtanen"),
            told("d", "03-01 12:00", ON_A, "minna@posti.example", "Vaihdettu."),
            close("x", "03-02 10:00", ON_A),
        ]
    };
    let reply = |day: &str, text: &str| {
        let mut said = before();
        said.push(letter_with("r", day, MINNA, PASS, &answer_to("d@kauppa.example"), text));
        said
    };
    let back = "Sama vika on taas.";
    check(story("in an answer, however late", reply("05-10 10:00", back), "a d r", "a d r")).await;
    check(story(
        "an answer as late without that",
        reply("05-10 10:00", "Kiitos, entä takuu?"),
        "a d r",
        "a d (closed) | r",
    ))
    .await;
    check(story("an answer with another number", reply("03-05 10:00", "Entä 40099999?"), "a d r", "a d (closed) | r"))
        .await;
    let mut said = before();
    said.push(titled("b", "03-05 10:00", MINNA, "Lamppu", back));
    check(story("in a mail of its own", said, "a b d", "a b d")).await;
}

#[tokio::test]
async fn a_mail_of_its_own_beside_an_open_matter() {
    check(story(
        "under another subject",
        vec![
            titled("a", "03-01 10:00", MINNA, "Lamppu", "Lamppu on rikki."),
            titled("b", "03-02 10:00", MINNA, "Tarjouspyyntö", "Tarvitsisimme kolme hyllyä."),
        ],
        "a b",
        "a | b",
    ))
    .await;
}

#[tokio::test]
async fn a_colleague_who_names_the_number() {
    let of_firm = |key, day, from, result: &str, text: &str| letter_with(key, day, from, result, "", text);
    let first = || of_firm("a", "03-01 10:00", ANTTI, PASS, "Tilaus 40012345 puuttuu.\n\nAntti Aalto");
    let colleague = |result: &str| {
        of_firm("b", "03-02 10:00", "Bo Berg <bo@firma.example>", result, "Jatkan Antin asiaa, 40012345.\n\nBo Berg")
    };
    check(story("and is vouched for by his domain", vec![first(), colleague(PASS)], "a | b", "a b")).await;
    let aligned = "spf=pass smtp.mailfrom=firma.example; dmarc=none";
    check(story("and is not", vec![first(), colleague(aligned)], "a | b", "a | b")).await;
}
