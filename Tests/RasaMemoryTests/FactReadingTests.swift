import RasaCore
import RasaMemory
import Testing

@Suite("Reading facts without a model")
struct FactReadingTests {
  /// A moment on that day.
  private static func day(_ text: String) -> Timestamp {
    Timestamp(milliseconds: (LocalDay(text)?.ordinal ?? 0) * 86_400_000)
  }
  private static let learnt = Timestamp(milliseconds: day("2026-09-15").milliseconds + 43_200_000)

  private func read(_ text: String) -> FactReading { FactReading.read(text, at: Self.learnt) }

  @Test(
    arguments: [
      ("risk_tolerance: low", "risk_tolerance"), ("risk-tolerance: high", "risk_tolerance"),
      ("tone: formal", "tone"), ("riskTolerance: 3", "risktolerance"),
      ("Favourite colour: blue", "favourite_colour"), ("favorite colour: red", "favourite_colour"),
      ("Time zone: Europe/Oslo", "time_zone"), ("units: metric", "units"), ("Name: Ada", "name"),
      ("lives in Oslo since May", "live in"), ("The user lives in Rome.", "live in"),
      ("I live in Oslo", "live in"), ("moved to Oslo in May", "live in"),
      ("Since May 2021 I live in Oslo", "live in"), ("Currently based in Rome", nil),
      ("is based in Rome", "live in"), ("resides in the Netherlands", "live in"),
      ("Anna lives in Oslo", "anna: live in"), ("My wife lives in Oslo", "wife: live in"),
      ("works at Acme", "work at"), ("I'm working for Acme Ltd", "work at"),
      ("works as a nurse", "work as"), ("is called Tom", "name"), ("My name is Ada", "name"),
      ("wants to be called Ada", nil), ("goes by Ada", "name"),
      ("prefers tea over coffee", "prefer coffee|tea"),
      ("prefers coffee to tea", "prefer coffee|tea"),
      ("prefers dark mode", "prefer dark|light mode"),
      ("likes tea", "like tea"), ("does not like tea", "like tea"), ("hates tea", "like tea"),
      ("has a dog", "have dog"), ("no longer has a dog", "have dog"), ("has no dog", "have dog"),
      ("is vegetarian", "be vegetarian"), ("is not vegetarian any more", "be vegetarian"),
      ("is married to Bo", "marital status"), ("is divorced", "marital status"),
      ("is 34 years old", "age"), ("wohnt seit Mai in Oslo", nil), ("wohnt in Oslo", "live in"),
      ("Ich wohne jetzt in Oslo", "live in"), ("ist nach Oslo gezogen", "live in"),
      ("arbeitet bei Muster", "work at"), ("heißt Ada", "name"), ("hat keinen Hund", "have hund"),
      ("J'habite à Paris", "live in"), ("Je m'appelle Ada", "name"), ("vive en Madrid", "live in"),
      ("me llamo Ada", "name"), ("abita a Roma", "live in"), ("живёт в Москве", "live in"),
      ("Меня зовут Ада", "name"),
    ] as [(String, String?)])
  func slots(text: String, slot: String?) {
    #expect(read(text).slot == slot)
  }

  @Test(
    "what is not certain has no slot",
    arguments: [
      "also lives in Oslo", "lives in Oslo and Rome", "lives in a small flat", "lives in fear",
      "would like to live in Oslo", "used to live in Rome", "lived in Rome", "Do I live in Rome?",
      "He lives in Rome", "My sister lives in Oslo", "lives in Oslo; works at Acme",
      "lives in Oslo. Likes tea.", "will move to Oslo", "works at home", "likes: tea",
      "hobbies: chess", "Note: call back", "Anna: I live in Oslo", "https://example.com/a: b",
      "10:30 dentist", "shopping list: milk", "friend: Bo", "", " ", "…", "Asked: x Answered: y",
      "Has two sisters and a brother", "The meeting is on Monday or Tuesday",
    ])
  func doubts(text: String) {
    #expect(read(text).slot == nil && read(text).denies == nil)
  }

  /// Whether the second one, learnt later, closes the first.
  private func closes(_ second: String, _ first: String) -> Bool {
    let (old, new) = (read(first), read(second))
    if let denies = new.denies { return denies.slot == old.slot && denies.form == old.form }
    return old.slot != nil && old.slot == new.slot && old.form != new.form
  }

  @Test(
    arguments: [
      ("lives in Rome", "lives in Oslo since May"), ("risk_tolerance: low", "risk_tolerance: high"),
      ("I live in Rome", "moved to Oslo"), ("works at Acme", "works for Muster"),
      ("likes tea", "doesn't like tea any more"), ("hates tea", "likes tea"),
      ("has a dog", "no longer has a dog"),
      ("lives in Rome", "no longer lives in Rome"), ("wohnt in Rom", "wohnt nicht mehr in Rom"),
      ("habite à Rome", "n'habite plus à Rome"), ("vive a Roma", "non vive più a Roma"),
      ("vive en Roma", "ya no vive en Roma"), ("живёт в Риме", "больше не живёт в Риме"),
      ("is married", "is not married"), ("prefers tea over coffee", "prefers coffee over tea"),
      ("prefers short answers", "prefers long answers"), ("lives in Rom", "wohnt in Oslo"),
      ("My favourite colour is blue", "My favorite colour is green"),
      ("favourite colour: blue", "My favourite colour is green"),
      ("is 34 years old", "is 35 years old"), ("name: Ada", "Name: Bo"),
    ])
  func whatContradictsCloses(old: String, new: String) {
    #expect(closes(new, old))
  }

  @Test(
    arguments: [
      ("likes coffee", "likes tea"), ("has a cat", "has a dog"),
      ("Anna lives in Rome", "Bo lives in Oslo"), ("lives in Rome", "Anna lives in Oslo"),
      ("lives in Oslo", "no longer lives in Rome"), ("lives in Rome", "works at Rome"),
      ("likes tea", "does not like coffee"), ("prefers tea", "prefers window seats"),
      ("prefers short answers", "prefers honest answers"), ("lives in Rome", "Lives in Rome."),
      ("is vegetarian", "is tall"), ("is married", "is not divorced"),
      ("works as a nurse", "works at Acme"), ("My wife works at Acme", "works at Muster"),
      ("risk_tolerance: low", "risk_appetite: high"),
      ("lives in Rome", "would rather live in Oslo"),
      ("My favourite book is Emma", "My favourite book is Dune"),
      ("My favourite colour is blue", "My favourite colour is blue and green"),
      ("My favourite colour is blue", "My wife's favourite colour is green"),
      ("My favourite colour is blue", "My favourite colour is not green"),
      ("has a dog", "has a dog called Rex"), ("speaks German", "speaks French"),
    ])
  func whatDoesNotContradictClosesNothing(old: String, new: String) {
    #expect(!closes(new, old) && !closes(old, new))
  }

  @Test(
    arguments: [
      ("lives in Oslo", "The user lives in  OSLO."), ("lives in Oslo", "I live in Oslo since May"),
      ("lives in Oslo", "moved to Oslo last month"),
      ("lives in Oslo", "will live in Oslo from 2099"),
      ("likes tea", "I like tea!"), ("risk_tolerance: low", "risk_tolerance:  LOW"),
      ("Any sentence, really.", "any sentence really"), ("Müller", "Mu\u{308}ller"),
      ("no longer lives in Rome", "doesn't live in Rome any more"),
    ])
  func theSameHasTheSameForm(one: String, other: String) {
    #expect(read(one).form == read(other).form)
  }

  /// Whether a phrase is understood, as in the first one, or not.
  @Test(arguments: ["I like tea", "Anna waters the cactus on Tuesdays", "Tea time: five o'clock"])
  func oneSentenceIsOneFactHoweverItIsWritten(text: String) {
    let variants = [
      text.uppercased(), text.lowercased(), "  \(text)\n", "\(text)!", "\(text)!!", "\(text) .",
      "\(text)…", "\(text);", "\(text)。", "- \(text)", "* \(text)", "• \(text).", "\"\(text)\"",
      "“\(text)”",
      "«\(text)»", "(\(text))", "'\(text)'", text.split(separator: " ").joined(separator: "  \t"),
      text.split(separator: " ").joined(separator: "\u{A0}"),
      text.split(separator: " ").joined(separator: "\u{3000}"), "\u{FEFF}\(text)\u{200B}",
      String(text.prefix(8)) + "\u{AD}" + text.dropFirst(8),
      text + String(repeating: " ", count: 400), text.replacing("'", with: "’"),
      String(
        String.UnicodeScalarView(
          text.unicodeScalars.map { scalar in
            scalar.properties.isAlphabetic
              ? Unicode.Scalar(scalar.value + 0xFEE0) ?? scalar : scalar
          })),
    ]
    for variant in variants {
      let (one, other) = (read(text), read(variant))
      #expect(one.form == other.form && one.slot == other.slot, "\(variant)")
    }
  }

  @Test(
    arguments: [
      ("I like tea", "I like\n tea"), ("lives in Straßburg", "LIVES IN STRASSBURG"),
      ("risk_tolerance: low", "Risk tolerance: LOW."),
      ("favourite colour: red", "Favorite colour: Red"),
      ("café au lait at noon", "CAFE\u{301} AU LAIT AT NOON"), ("η οδός μου", "Η ΟΔΌΣ ΜΟΥ"),
      ("heißt Ada", "heisst Ada"),
    ])
  func theSameIsOneFact(one: String, other: String) {
    #expect(read(one).form == read(other).form && read(one).slot == read(other).slot)
  }

  @Test(
    arguments: [
      ("prefers C", "prefers C++"), ("costs 3.5", "costs 35"), ("change of -5", "change of 5"),
      ("lives in Oslo", "no longer lives in Oslo"), ("likes tea", "does not like tea"),
      ("Anna likes Bo", "Bo likes Anna"), ("likes tea", "loves tea"), ("a", "b"),
    ])
  func whatDiffersHasAnotherForm(one: String, other: String) {
    #expect(read(one).form != read(other).form)
  }

  @Test(
    arguments: [
      ("lives in Oslo since May", "2026-05-01", nil),
      ("lives in Oslo since October", "2025-10-01", nil),
      ("lives in Oslo since 2021", "2021-01-01", nil),
      ("lives in Oslo since May 2021", "2021-05-01", nil),
      ("lives in Oslo since 3 May 2021", "2021-05-03", nil),
      ("lives in Oslo since May 3, 2021", "2021-05-03", nil),
      ("lives in Oslo since 2021-05-03", "2021-05-03", nil),
      ("wohnt in Oslo seit dem 3.5.2021", "2021-05-03", nil),
      ("wohnt in Oslo seit Mai", "2026-05-01", nil),
      ("Seit Mai wohne ich in Oslo", "2026-05-01", nil),
      ("habite à Oslo depuis mai 2021", "2021-05-01", nil),
      ("vive en Oslo desde mayo de 2021", "2021-05-01", nil),
      ("живёт в Осло с мая", "2026-05-01", nil), ("moved to Oslo in May", "2026-05-01", nil),
      ("moved to Oslo last year", "2025-01-01", nil),
      ("moved to Oslo last month", "2026-08-01", nil), ("likes what came last year", nil, nil),
      ("lives in Oslo from next January", "2027-01-01", nil),
      ("will live in Oslo from next January", "2027-01-01", nil),
      ("The shop is closed from next January", "2027-01-01", nil),
      ("lived in Madrid from 2010 to 2012", nil, nil),
      ("lives in Oslo since last year", "2025-01-01", nil),
      ("lives in Oslo since yesterday", "2026-09-14", nil),
      ("lives in Oslo since forever", nil, nil),
      ("works at Acme until April", nil, "2027-05-01"),
      ("works at Acme until 2026-09-30", nil, "2026-10-01"),
      ("works at Acme from 2024 to 2025", "2024-01-01", "2026-01-01"),
      ("works at Acme from May to March", "2026-05-01", "2027-04-01"),
      ("arbeitet bei Muster bis Ende 2027", nil, "2028-01-01"),
      ("On holiday until 20 September", nil, "2026-09-21"), ("was mayor until 2019", nil, nil),
      ("does not work at Acme until April", nil, nil),
      ("lives in Oslo since 31 February 2021", nil, nil),
      ("has known Bo since 2019", "2019-01-01", nil),
      ("The deadline moved from May to June", nil, nil),
      ("lives in Oslo", nil, nil), ("since", nil, nil), ("until until until", nil, nil),
    ] as [(String, String?, String?)])
  func dates(text: String, since: String?, until: String?) {
    let reading = read(text)
    #expect(reading.validFrom == since.map(Self.day))
    #expect(reading.until == until.map(Self.day))
  }

  @Test func namesOfSlots() {
    #expect(FactReading.slot(named: "Risk tolerance") == "risk_tolerance")
    #expect(FactReading.slot(named: "residence") == "live in")
    #expect(FactReading.slot(named: "hobbies") == nil && FactReading.slot(named: "friend") == nil)
    #expect(FactReading.slot(named: "") == nil && FactReading.slot(named: "a b c d e") == nil)
  }

  @Test func nothingIsTooLongOrTooStrange() {
    let long = String(repeating: "lives in Oslo since May ", count: 400_000)
    #expect(read(long).form.utf8.count == 64 && read(long).slot == nil)
    var generator = Dice(seed: 7)
    let parts = [
      "since", "until", "from", "to", "May", "31", "2021", "lives in", "Oslo", "not", "n't", "'",
      "is", "no longer", "ne", "plus", ":", "-", ".", "\u{0}", "\u{1F600}", "東京", "with", "prefers",
      "over", "dark", "9999-12-31", "0000", "99", "last", "year", "next",
    ]
    for _ in 0..<3_000 {
      let count = Int(generator.next() % 9)
      let text = (0..<count).map { _ in parts[Int(generator.next() % UInt64(parts.count))] }
        .joined(separator: generator.next() % 3 == 0 ? "" : " ")
      let reading = read(text)
      #expect(reading == read(text))
      if let from = reading.validFrom, let until = reading.until { #expect(from < until) }
      #expect(reading.slot == nil || reading.denies == nil)
    }
  }
}

/// Numbers that are the same at every run.
struct Dice: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
