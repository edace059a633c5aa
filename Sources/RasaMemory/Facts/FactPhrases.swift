/// A phrase between a subject and an object.
struct FactPhrase {
  enum Relation {
    /// Only one object at a time.
    case one(String, kind: String?)
    /// Any number of objects, each of which it is true of or not.
    case either(String, kind: String?)
    /// One of a few where the object says of which; otherwise any number.
    case prefer
  }
  var relation: Relation
  var needsName = false
  /// It tells of a moment: `moved to Oslo in May`.
  var isEvent = false
  /// It says the opposite of its relation.
  var isDenial = false
  /// Words of which one ends the sentence: `ist nach Oslo gezogen`.
  var closing: Set<String> = []
}

/// The phrases of a few languages that say something of which only one thing, or the opposite, is true. A phrase that
/// can also mean something else does not belong here.
enum FactPhrases {
  static let table: [String: FactPhrase] = {
    var table: [String: FactPhrase] = [:]
    func add(_ phrase: FactPhrase, _ list: String) {
      for text in list.split(separator: ",") {
        table[text.split { $0 == " " || $0 == "\n" }.joined(separator: " ")] = phrase
      }
    }
    let home = FactPhrase(relation: .one("live in", kind: "profile"), needsName: true)
    add(
      home,
      """
      lives in, live in, living in, is living in, am living in, resides in, reside in, is based in,
      am based in, wohnt in, wohne in, lebt in, lebe in, habite à, habite a, habite, vit à, vis à,
      vive en, vivo en, vive a, vivo a, vive in, vivo in, abita a, abito a, abita in, abito in,
      живёт в, живет в, живу в, проживает в, проживаю в
      """)
    var move = home
    move.isEvent = true
    add(
      move,
      """
      moved to, has moved to, have moved to, relocated to, has relocated to, have relocated to,
      zog nach, déménagé à, emménagé à, a déménagé à, ai déménagé à, se mudó a, me mudé a,
      si è trasferito a, si è trasferita a, mi sono trasferito a, mi sono trasferita a,
      переехал в, переехала в
      """)
    move.closing = ["gezogen", "umgezogen"]
    add(move, "ist nach, bin nach")
    let work = FactPhrase(relation: .one("work at", kind: "profile"), needsName: true)
    add(
      work,
      """
      works at, work at, working at, is working at, am working at, works for, work for, working for,
      is working for, am working for, is employed at, am employed at, is employed by, am employed by,
      arbeitet bei, arbeite bei, travaille chez, trabaja en, trabajo en, trabaja para, trabajo para,
      lavora da, lavora per, lavora presso, lavoro presso, работает в, работаю в
      """)
    add(
      FactPhrase(relation: .one("work as", kind: "profile")),
      "works as, work as, working as, is working as, am working as, arbeitet als, arbeite als, "
        + "travaille comme, trabaja como, trabajo como, lavora come, lavoro come")
    add(
      FactPhrase(relation: .one("name", kind: "profile"), needsName: true),
      """
      is called, am called, is named, am named, name is, goes by, go by, wants to be called,
      want to be called, prefers to be called, prefer to be called, heisst, heisse, s' appelle,
      m' appelle, je m' appelle, se llama, me llamo, si chiama, mi chiamo, меня зовут
      """)
    add(
      FactPhrase(relation: .either("like", kind: "preference")),
      """
      likes, like, loves, love, enjoys, enjoy, mag, liebt, liebe, aime, adore, любит, люблю
      """)
    add(
      FactPhrase(relation: .either("like", kind: "preference"), isDenial: true),
      "dislikes, dislike, hates, hate, hasst, hasse, déteste, odia, odio, ненавидит, ненавижу")
    add(FactPhrase(relation: .either("have", kind: nil)), "has, have, has got, have got, hat, habe")
    add(FactPhrase(relation: .either("have", kind: nil), isDenial: true), "has no, have no")
    add(FactPhrase(relation: .either("own", kind: nil)), "owns, own, besitzt, besitze, possède")
    add(
      FactPhrase(relation: .either("eat", kind: "preference")),
      "eats, eat, isst, esse, mange, mangia, mangio, ест, ем")
    add(
      FactPhrase(relation: .either("drink", kind: "preference")),
      "drinks, drink, trinkt, trinke, boit, bois, bebe, bebo, beve, bevo, пьёт, пьет, пью")
    add(
      FactPhrase(relation: .either("speak", kind: "profile")),
      "speaks, speak, spricht, spreche, parle, habla, hablo, parla, parlo")
    add(
      FactPhrase(relation: .either("use", kind: nil)),
      "uses, use, benutzt, benutze, verwendet, verwende, utilise, использует, использую")
    add(
      FactPhrase(relation: .either("play", kind: nil)),
      "plays, play, spielt, spiele, joue, juega, juego, gioca, gioco")
    add(
      FactPhrase(relation: .either("be", kind: nil)),
      "is, am, ist, bin, est, suis, es, soy, è, sono")
    add(
      FactPhrase(relation: .prefer),
      "prefers, prefer, bevorzugt, bevorzuge, préfère, prefiere, prefiero, preferisce, preferisco, "
        + "предпочитает, предпочитаю")
    return table
  }()

  /// Verbs whose forms differ by person only.
  static let basicForm: [String: String] = [
    "likes": "like", "loves": "love", "enjoys": "enjoy", "dislikes": "dislike", "hates": "hate",
    "has": "have", "has got": "have", "have got": "have", "has no": "have", "have no": "have",
    "owns": "own", "eats": "eat",
    "drinks": "drink", "speaks": "speak", "uses": "use", "plays": "play", "is": "be", "am": "be",
    "liebt": "liebe", "hasst": "hasse", "hat": "habe", "besitzt": "besitze", "isst": "esse",
    "trinkt": "trinke", "spricht": "spreche", "benutzt": "benutze", "verwendet": "verwende",
    "spielt": "spiele", "ist": "bin", "suis": "est", "es": "soy",
  ]

  /// How a model may call the slot of a phrase.
  static let slots: [String: String] = [
    "live in": "live in", "lives in": "live in", "residence": "live in", "home city": "live in",
    "city of residence": "live in", "place of residence": "live in", "home_city": "live in",
    "work at": "work at", "works at": "work at", "employer": "work at", "workplace": "work at",
    "work as": "work as", "works as": "work as", "occupation": "work as", "profession": "work as",
    "name": "name", "first name": "name",
  ]

  static let negations: [[String]] = [
    "no longer", "not any longer", "not any more", "not anymore", "not", "never", "nicht mehr",
    "nicht", "keinen", "keine", "kein", "ya no", "non", "больше не", "уже не", "не",
  ].map { $0.split(separator: " ").map(String.init) }

  /// Negations with the verb between them.
  static let partedNegations: [(first: Set<String>, second: Set<String>)] = [
    (["ne", "n'"], ["plus", "pas", "jamais"])
  ]

  static let helpers: Set<String> = [
    "does", "do", "any", "more", "anymore", "longer", "mehr", "più",
  ]

  /// Words that make it something else: a wish, a memory, a supposition, a second one of two.
  static let doubts: Set<String> = [
    "also", "too", "another", "second", "mostly", "sometimes", "usually", "often", "partly", "both",
    "either", "maybe", "perhaps", "probably", "might", "may", "could", "would", "should", "will",
    "used", "if", "when", "whether", "because", "but", "wants", "hopes", "plans", "thinks", "says",
    "auch", "manchmal", "oft", "vielleicht", "wohl", "wenn", "aber", "würde", "aussi",
    "parfois", "souvent", "mais", "también", "quizás", "pero", "anche", "forse",
    "ma", "тоже", "также", "иногда", "может", "если", "но", "pas", "nothing", "nichts",
  ]

  static let adverbs: Set<String> = [
    "now", "currently", "still", "already", "just", "recently", "really", "very", "actually",
    "presently", "jetzt", "derzeit", "aktuell", "zurzeit", "noch", "schon", "gerade", "sehr",
    "gern", "gerne", "maintenant", "actuellement", "encore", "toujours", "ahora", "actualmente",
    "todavía", "adesso", "ora", "attualmente", "ancora", "сейчас", "теперь", "уже", "ещё", "очень",
  ]

  static let users: Set<String> = [
    "", "i", "user", "the user", "this user", "ich", "der benutzer", "der nutzer", "die benutzerin",
    "die nutzerin", "je", "j'", "l' utilisateur", "l' utilisatrice", "yo", "el usuario",
    "la usuaria", "io", "l' utente", "я", "пользователь", "my", "the user's", "user's", "mein",
    "mi", "mon", "il mio", "моё", "моя", "мой",
  ]

  /// Who they are depends on what was said before.
  static let pronouns: Set<String> = [
    "he", "she", "they", "it", "we", "you", "this", "that", "there", "here", "who", "er", "sie",
    "es", "wir", "ihr", "man", "il", "elle", "ils", "elles", "on", "nous", "vous", "él", "ella",
    "ellos", "nosotros", "lui", "lei", "loro", "noi", "он", "она", "они", "мы", "вы", "the", "a",
    "my", "his", "her", "their", "our", "your", "everybody", "everyone", "nobody", "someone",
  ]

  static let owners = [
    "my", "the user's", "user's", "mein", "meine", "mon", "ma", "mi", "il mio", "la mia", "мой",
    "моя",
  ]

  /// Of whom there is one.
  static let relatives: Set<String> = [
    "mother", "father", "mom", "mum", "dad", "wife", "husband", "spouse", "partner", "girlfriend",
    "boyfriend", "fiancé", "fiancée", "boss", "manager", "mutter", "vater", "frau", "mann",
    "chefin", "chef", "mère", "père", "femme", "mari", "madre", "padre",
    "esposa", "esposo", "marido", "moglie", "marito", "мать", "отец", "мама", "папа", "жена", "муж",
  ]

  static let conjunctions: Set<String> = [
    "and", "or", "und", "oder", "et", "ou", "y", "o", "e", "и", "или", "&", "/", "plus",
  ]

  /// What comes after them belongs to no name.
  static let endings: Set<String> = [
    "with", "together", "near", "because", "mit", "avec", "con", "с",
  ]

  static let articles: Set<String> = [
    "a", "an", "the", "ein", "eine", "einen", "einem", "einer", "der", "die", "das", "den", "dem",
    "un", "une", "le", "la", "les", "una", "el", "los", "las", "il", "lo", "gli", "du", "de",
  ]

  static let noNames: Set<String> = [
    "fear", "peace", "poverty", "hope", "angst", "armut", "frieden", "scheidung", "trennung",
    "beziehung", "partnerschaft", "ehe", "teilzeit", "vollzeit", "home", "hause", "i", "ich", "me",
    "him", "her", "them", "us", "no", "one", "two", "my", "mein",
  ]

  static let statuses: [String: String] = {
    var statuses: [String: String] = [:]
    for word in [
      "single", "married", "divorced", "widowed", "engaged", "ledig", "verheiratet", "geschieden",
      "verwitwet", "verlobt",
    ] { statuses[word] = "marital status" }
    return statuses
  }()

  static let comparing: Set<String> = ["over", "to", "than", "vor", "gegenüber", "à", "a", "чем"]

  static let alternatives: [[String]] = [
    ["dark", "light"], ["short", "long", "brief", "detailed"], ["formal", "informal", "casual"],
    ["metric", "imperial"], ["aisle", "window"], ["hot", "iced", "cold"],
    ["dunkles", "helles"], ["kurze", "lange", "ausführliche"], ["formelle", "informelle"],
    ["courtes", "longues"], ["cortas", "largas"], ["brevi", "lunghe"],
  ]

  /// Keys of which there is one each, also as a heading or in several words.
  static let keys: Set<String> = [
    "name", "first name", "last name", "full name", "nickname", "age", "birthday", "date of birth",
    "gender", "nationality", "language", "native language", "city", "home town", "hometown",
    "country", "address", "home address", "timezone", "time zone", "phone", "phone number", "email",
    "job", "job title", "employer", "company", "occupation", "profession", "role", "title",
    "currency", "diet", "budget", "tone", "style", "format", "units", "risk tolerance",
    "marital status", "alter", "beruf", "stadt", "sprache", "wohnort", "nom", "âge", "ville",
    "nombre", "ciudad", "edad", "nome", "città", "имя", "город", "возраст",
  ]

  static let leadingKeys: Set<String> = [
    "favourite", "favorite", "preferred", "default", "current", "bevorzugte", "bevorzugter",
    "bevorzugtes",
  ]

  /// Of which somebody can have several, although it is said of one.
  static let several: Set<String> = [
    "note", "notes", "todo", "reminder", "remember", "fyi", "nb", "ps", "warning", "hint", "tip",
    "example", "question", "answer", "asked", "answered", "important", "idea", "fact", "task",
    "hobby", "friend", "child", "kid", "son", "daughter", "brother", "sister", "sibling", "pet",
    "cat", "dog", "interest", "allergy", "like", "dislike", "skill", "goal", "book", "movie",
    "film", "song", "visited", "trip", "event", "plan", "appointment", "meeting", "purchase",
    "quote", "link", "source", "see", "re", "subject", "user", "assistant", "system", "model",
    "hobbys", "freund", "kind", "notiz", "frage", "antwort", "ami", "enfant", "amigo",
    "hijo", "amico", "figlio", "children", "people", "kinder", "freunde", "geschwister",
    "мультфильм", "друг", "хобби", "заметка",
  ]
}
