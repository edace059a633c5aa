import RasaCore
import RasaDocuments
import RasaEngine

/// The parts of a request's body that determine its cost.
struct ForwardedWords {
  var request: ModelRequest
  /// The model that it asks; nil where the path says it.
  var model: String?
  /// The most tokens that all of its answers may have; nil where it does not say.
  var most: Int64?
  /// How many answers it asks for.
  let choices: Int64
  /// The `stream` member.
  let stream: Bool?
  /// Whether a stream of OpenAI's is to end with what it took.
  let asksForUsage: Bool
  /// A part whose cost cannot be known before, such as a search on the web by the provider; nil for none.
  let unknownCost: String?
  /// Answered before anything is done, so that it would never be known what it took.
  let isInBackground: Bool

  /// The least tokens that a file is reckoned at, such as an image.
  private static let leastPerFile = 2_000
  /// A page of a PDF has more tokens than this share of its bytes in base64.
  private static let bytesPerToken = 8
  /// More than any model reads.
  private static let mostForFiles = 4_000_000
  /// Members that hold a file's bytes, and those that say where a file is.
  private static let encoded: Set = ["data", "file_data", "images", "b64_json"]
  private static let references: Set = [
    "url", "image_url", "file_url", "file_uri", "fileUri", "file_id",
  ]

  init(_ body: [UInt8]) throws(Failure) {
    let document: Value
    do throws(Failure) { document = try JSON.parse(body, named: "the request") } catch {
      var failure = error
      failure.kind = .usage
      throw failure
    }
    model = document["model"].string
    stream = document["stream"].bool
    asksForUsage = document["stream_options"]["include_usage"].bool == true
    unknownCost = Self.unknownCost(document)
    isInBackground = document["background"].bool == true
    var words = ""
    var tokens = 0
    Self.gather(document, in: "", &words, &tokens)
    // Files are not decoded, so their tokens are estimated as words.
    words += String(repeating: " word", count: min(tokens, Self.mostForFiles))
    choices = max(1, min(document["n"].int ?? 1, 128))
    let asked =
      document["max_completion_tokens"].int ?? document["max_tokens"].int
      ?? document["max_output_tokens"].int ?? document["generationConfig"]["maxOutputTokens"].int
      ?? document["options"]["num_predict"].int
    if let asked, asked > 0 { most = min(asked, 1 << 32) * choices }
    request = ModelRequest(
      messages: [ChatMessage(.user, words)], name: "forward",
      maxTokens: most.map { Int(clamping: $0) })
  }

  /// Earlier turns that the provider keeps are input that nobody here can count, and its own tools are paid for
  /// apart from tokens. Tools that the client carries out are only words.
  private static func unknownCost(_ document: Value) -> String? {
    for member in ["previous_response_id", "conversation", "prompt", "web_search_options"]
    where document[member].object != nil || document[member].string != nil {
      // In a request of Ollama's the prompt is the text.
      if member == "prompt", document[member].string != nil { continue }
      return member
    }
    for tool in document["tools"].array ?? [] {
      guard let type = tool["type"].string else { continue }
      let isProviders = Self.tools.contains { type.utf8.starts(with: $0.utf8) }
      if isProviders { return type }
    }
    return nil
  }

  private static let tools = [
    "web_search", "web_fetch", "file_search", "code_interpreter", "code_execution",
    "image_generation", "mcp",
  ]

  private static func gather(
    _ value: Value, in member: String, _ words: inout String, _ tokens: inout Int
  ) {
    switch value {
    case .string(let text):
      if let file = fileTokens(text, in: member) { tokens += file } else { words += text + "\n" }
    case .array(let elements):
      for element in elements { gather(element, in: member, &words, &tokens) }
    // Texts for vectors may come as numbers of tokens, and so may what Ollama is to go on from.
    case .int where member == "input" || member == "context": tokens += 1
    case .object(let object):
      for (key, value) in object {
        words += key + " "
        gather(value, in: key, &words, &tokens)
      }
    default: break
    }
  }

  /// What a file is reckoned at; nil for a text. Text counts as such however long its words are.
  private static func fileTokens(_ text: String, in member: String) -> Int? {
    var bytes = Array(text.utf8)[...]
    if bytes.starts(with: "data:".utf8) {
      guard let comma = bytes.firstIndex(of: UInt8(ascii: ",")) else { return nil }
      bytes = bytes[(comma + 1)...]
    } else if references.contains(member) {
      return leastPerFile
    } else if !encoded.contains(member) {
      return nil
    }
    guard bytes.allSatisfy(isBase64) else { return nil }
    // What every PDF begins with.
    let isPDF = bytes.starts(with: "JVBERi".utf8)
    return max(leastPerFile, isPDF ? bytes.count / bytesPerToken : 0)
  }

  private static func isBase64(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="), 0x0A, 0x0D:
      true
    default: false
    }
  }
}
