import RasaCore
import RasaEngine

/// How many tokens a provider counts for an image or a page of a PDF, never fewer than it bills.
///
/// Which formula holds is a matter of the model's vendor, also where a gateway passes it on. What the
/// provider then reports is booked, so a formula that has become too small is said (`notices`) and
/// makes the next holds larger.
enum AttachmentFormula: Sendable, Hashable {
  /// OpenAI, up to GPT-5: shrunk to fit 2048×2048 and then to a shorter side of 768, and cut into
  /// squares of 512. Low detail is the base alone.
  /// Source: developers.openai.com, guide "Images and vision", "Calculating costs".
  case tiles(base: Int64, tile: Int64, isLow: Bool)
  /// OpenAI, small models and those after GPT-5: squares of 32 pixels, shrunk until there are no more
  /// than a limit, times a factor (in thousandths). Source: as above; the limit for `detail: high` and
  /// the factor 1.2 as measured on GPT-5.4 and later.
  case patches(atMost: Int64, thousandths: Int64)
  /// Anthropic: squares of 28 pixels, about width × height ÷ 750, of an image that is shrunk until it
  /// has no more than so many tokens. Source: platform.claude.com, "Vision", "Evaluate image size";
  /// 1,600 up to the 4.6 generation, 4,784 after it.
  case squares(atMost: Int64)
  /// Gemini up to 2.5: 258 for an image of at most 384×384, else 258 for each tile of the shorter side
  /// ÷ 1.5, from 256 to 768 pixels. Source: ai.google.dev, "Understand and count tokens".
  case crops
  /// Gemini from 3 on: the default `media_resolution` allots at most so many to an image, whatever its
  /// size. Source: ai.google.dev, "Media resolution".
  case allotment(Int64)

  /// The text of a page is extracted and sent beside its picture. Anthropic names 1,500 to 3,000 tokens
  /// a page (platform.claude.com, "PDF support"); OpenAI does the same and names none.
  private static let pageText: Int64 = 3_000
  /// Gemini up to 2.5 counts a page as one image of 258 (ai.google.dev, "Document understanding").
  private static let geminiPage: Int64 = 258

  /// - Parameter model: as the catalogue calls it, in lower case.
  init?(model: String, vendor: String?, isLowDetail: Bool) {
    func begins(_ prefixes: String...) -> Bool { prefixes.contains { model.hasPrefix($0) } }
    switch vendor {
    case "openai":
      if begins("gpt-4.1-mini", "gpt-5-mini") {
        self = .patches(atMost: 1_536, thousandths: 1_620)
      } else if begins("gpt-4.1-nano", "gpt-5-nano") {
        self = .patches(atMost: 1_536, thousandths: 2_460)
      } else if begins("o4-mini") {
        self = .patches(atMost: 1_536, thousandths: 1_720)
      } else if begins("gpt-4o-mini") {
        self = .tiles(base: 2_833, tile: 5_667, isLow: isLowDetail)
      } else if begins("gpt-4o", "gpt-4.1", "gpt-4-turbo", "gpt-4.5", "chatgpt-4o") {
        self = .tiles(base: 85, tile: 170, isLow: isLowDetail)
      } else if begins("o1", "o3") {
        self = .tiles(base: 75, tile: 150, isLow: isLowDetail)
      } else if begins("gpt-5."), model.hasBytes("-mini") {
        self = .patches(atMost: 2_500, thousandths: 1_620)
      } else if begins("gpt-5."), model.hasBytes("-nano") {
        self = .patches(atMost: 2_500, thousandths: 2_460)
      } else if begins("gpt-5.") {
        self = .patches(atMost: 2_500, thousandths: 1_200)
      } else if begins("gpt-5") {
        self = .tiles(base: 70, tile: 140, isLow: isLowDetail)
      } else {
        return nil
      }
    case "anthropic":
      let isEarlier = begins(
        "claude-3", "claude-haiku-4", "claude-sonnet-4", "claude-opus-4-0", "claude-opus-4-1",
        "claude-opus-4-2025", "claude-opus-4-5", "claude-opus-4-6")
      guard begins("claude-") else { return nil }
      self = .squares(atMost: isEarlier ? 1_600 : 4_784)
    case "google":
      guard begins("gemini-") else { return nil }
      self = begins("gemini-1", "gemini-2") ? .crops : .allotment(1_120)
    default: return nil
    }
  }

  func tokens(of size: Attachment.PixelSize) -> Int64 {
    let width = Double(max(1, min(size.width, 1 << 32)))
    let height = Double(max(1, min(size.height, 1 << 32)))
    func cells(_ width: Double, _ height: Double, of side: Double) -> Int64 {
      Int64(max(1, (width / side).rounded(.up)) * max(1, (height / side).rounded(.up)))
    }
    switch self {
    case .tiles(let base, _, isLow: true): return base
    case .tiles(let base, let tile, isLow: false):
      let fit = min(1, 2_048 / max(width, height))
      let short = min(1, 768 / (min(width, height) * fit))
      // Rounding to whole pixels may go either way, so a pixel is added.
      let scale = fit * short
      let (w, h) = scale < 1 ? (width * scale, height * scale) : (width, height)
      return base + tile * cells((w - 0.01).rounded(.up), (h - 0.01).rounded(.up), of: 512)
    case .patches(let most, let thousandths):
      let patches = min(cells(width, height, of: 32), most)
      return (patches * thousandths + 999) / 1_000
    case .squares(let most):
      let area = Int64((min(width * height, 1e15) / 750).rounded(.up))
      return min(max(cells(width, height, of: 28), area), most)
    case .crops:
      if width <= 384, height <= 384 { return 258 }
      let fit = min(1, 3_072 / max(width, height))
      let (w, h) = (width * fit, height * fit)
      let side = min(max((min(w, h) / 1.5).rounded(.down), 256), 768)
      return 258 * cells(w, h, of: side)
    case .allotment(let most): return most
    }
  }

  /// The most that an image can have, whatever its size.
  private var largestImage: Int64 {
    switch self {
    case .tiles(let base, let tile, _): base + 8 * tile
    case .patches(let most, let thousandths): (most * thousandths + 999) / 1_000
    case .squares(let most), .allotment(let most): most
    case .crops: Self.geminiPage
    }
  }

  /// A page, with its picture and its text.
  var tokensOfPage: Int64 {
    switch self {
    case .crops: Self.geminiPage
    case .allotment(let most): most
    case .tiles, .patches, .squares: largestImage + Self.pageText
    }
  }
}
