import RasaMemory
import Testing

@Suite struct TextTermsTests {
  @Test func aTextIsTheTermsOfItsWords() {
    #expect(TextTerms.stored("Oslo, 2024").terms == ["oslo", "2024"])
  }

  /// A text in some language, and what people look for to find it.
  static let texts: [(text: String, language: String, questions: [String])] = [
    ("She collects playing cards", "en", ["card", "CARDS", "collecting", "plays"]),
    ("Живёт в Москве с мая", "ru", ["Москва", "москвы", "МОСКВЕ", "живет"]),
    ("Мій друг читає книгу", "uk", ["книгу", "ДРУГ"]),
    ("Η γιαγιά μένει στην Αθήνα", "el", ["ΑΘΗΝΑ", "αθήνα", "γιαγια"]),
    ("Er hat zwei Häuser und einen Fuß", "de", ["Haus", "hauser", "Häuser", "FUSS", "fuß"]),
    ("Hän asuu isoissa taloissa", "fi", ["talo", "ISO", "taloissa"]),
    ("Elle préfère les cafés tranquilles", "fr", ["café", "cafe", "preferer", "tranquille"]),
    ("J'adore l'opéra d'Anna", "fr", ["opera", "opéra", "Anna", "adore"]),
    (
      "Isparta'da ILIK bir gün, İZMİR'de yağmur", "tr",
      ["ısparta", "isparta", "ilik", "izmir", "İzmir"]
    ),
    ("El niño vivió en España", "es", ["nino", "niño", "España", "espana"]),
    ("Łódź i Kraków są piękne", "pl", ["lodz", "Łódź", "krakow"]),
    ("ユーザーは東京に住んでいます", "ja", ["東京", "東", "京", "ユーザー", "住んで"]),
    ("ﾄｳｷｮｳとＡＢＣ", "ja", ["トウキョウ", "abc"]),
    ("我住在北京，喜欢喝茶", "zh", ["北京", "北", "喝茶", "茶"]),
    ("저는 서울에서 살아요", "ko", ["서울", "서울에서", "살"]),
    ("ผมอยู่ที่กรุงเทพ", "th", ["กรุงเทพ", "กรุง"]),
    ("يسكن في المدينة القديمة", "ar", ["المدينة", "مدينة"]),
    ("كَتَبَ الدَّرْسَ", "ar", ["كتب", "الدرس"]),
    ("הוא גר בירושלים", "iw", ["בירושלים", "גר"]),
    ("שָׁלוֹם", "", ["שלום"]),
    ("मुझे किताबें पढ़ना पसंद है", "hi", ["किताबें", "किताब", "पसंद"]),
    ("Loves 🎻 and 👩🏽‍🚀 costumes", "en", ["🎻", "👩‍🚀", "costume"]),
    (
      "Order 4711 for GPT-4o costs 10.5 EUR, 1,000 pieces", "en",
      ["4711", "GPT-4o", "gpt4o", "10.5", "10,5", "1000", "1,000"]
    ),
    (
      "Write to anna.berg@example.org or see https://example.com/docs/Setup_Guide.html", "en",
      ["anna.berg@example.org", "berg", "example.com", "setup guide", "Setup_Guide.html"]
    ),
    ("Knows C++, C# and F#; says don't and o'clock", "en", ["c++", "C#", "don't", "o'clock"]),
    ("Anna’s well‑known e‐mail", "en", ["Anna", "anna's", "well-known", "wellknown", "e-mail"]),
    ("e\u{301}cole", "", ["école", "ecole", "ÉCOLE"]),
  ]

  @Test(arguments: texts)
  func whatIsLookedForIsFound(_ example: (text: String, language: String, questions: [String])) {
    let stored = IndexedText(example.text, language: example.language)
    let terms = Set(stored.occurrences.map(\.term))
    for question in example.questions {
      // Among texts of other languages, too.
      for languages in [[example.language], [example.language, "en", "sv", ""]] {
        let words = QueryWords(question, languages: languages).words
        #expect(!words.isEmpty, "\(question)")
        for word in words {
          #expect(
            !terms.isDisjoint(with: word.terms), "\(word.text) of \(question) in \(example.text)")
        }
      }
    }
  }

  @Test func otherWordsAreNotFound() {
    let cases: [(text: String, question: String)] = [
      ("我住在北京", "东京"), ("ユーザーは東京に", "京東"), ("costs 10.5", "105"), ("C++", "C#"),
      ("Москва", "Минск"), ("cards", "care"), ("4711", "471"),
    ]
    for (text, question) in cases {
      let terms = Set(IndexedText(text, language: "").occurrences.map(\.term))
      let words = QueryWords(question, languages: [""]).words
      #expect(
        words.contains { terms.isDisjoint(with: $0.terms) }, "\(question) in \(text)")
    }
  }

  @Test func eachWordOfATextFindsIt() {
    var random = SystemRandomNumberGenerator()
    let pools: [ClosedRange<UInt32>] = [
      0x20...0x7E, 0xA0...0x24F, 0x370...0x3FF, 0x400...0x52F, 0x590...0x6FF, 0x900...0x97F,
      0xE00...0xE7F, 0x1E00...0x1FFF, 0x2000...0x206F, 0x3040...0x30FF, 0x4E00...0x4E80,
      0xAC00...0xAC80, 0xFF00...0xFFEF, 0x1F600...0x1F64F,
    ]
    let languages = ["", "en", "de", "fr", "ru", "tr", "fi", "ar", "hi", "el", "zh", "ja", "th"]
    for _ in 0..<300 {
      let pool = pools.randomElement(using: &random)!
      let text = String(
        String.UnicodeScalarView(
          (0..<40).compactMap { _ in
            Bool.random(using: &random) && Bool.random(using: &random)
              ? " " : Unicode.Scalar(UInt32.random(in: pool, using: &random))
          }))
      let language = languages.randomElement(using: &random)!
      let terms = Set(IndexedText(text, language: language).occurrences.map(\.term))
      for word in text.split(separator: " ") {
        for found in QueryWords(String(word), languages: [language, "sv"]).words {
          #expect(
            !terms.isDisjoint(with: found.terms),
            "\(word.unicodeScalars.map { String($0.value, radix: 16) }) in \(language)")
        }
      }
    }
  }

  @Test func anyTextIsRead() {
    let texts = [
      "", " ", "\u{0}\u{1}\u{1b}[31m\u{7f}", "\u{301}\u{302}", "\u{200D}\u{FE0F}\u{202E}", "'",
      "''''", "-_-.-@-",
      "a'", "'a", "a'b'c'd", String(repeating: "a", count: 3_000_000),
      String(repeating: "\u{0301}", count: 200_000), String(repeating: "東", count: 1_000_000),
      String(repeating: "a-", count: 500_000), String(repeating: "\u{1}", count: 10_000_000),
      String(repeating: "ab ", count: 3_500_000), String(repeating: "?", count: 1000),
      (0..<100_000).map { "word\($0)" }.joined(separator: " "),
    ]
    for text in texts {
      let indexed = IndexedText(text, language: "", speaker: text)
      #expect(indexed.occurrences.count <= 20_000)
      #expect(indexed.speaker.count <= 4)
      #expect(QueryWords(text, languages: ["", "de", "ru"]).words.count <= 256)
    }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      _ = IndexedText(text, language: "de", speaker: text)
      _ = QueryWords(text, languages: ["ru", "hi"])
      _ = TextTerms.stored(text)
    }
  }

  @Test func aQuestionIsKnownByItsEnd() {
    for text in ["How are you?", "Wie geht's? ", "どこですか？", "أين أنت؟", "He asked (why?)"] {
      #expect(IndexedText(text, language: "").isQuestion, "\(text)")
    }
    for text in ["Fine.", "Why? Because.", "", "?!"] {
      #expect(!IndexedText(text, language: "").isQuestion, "\(text)")
    }
  }
}
