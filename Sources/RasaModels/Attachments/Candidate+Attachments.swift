import RasaCore
import RasaEngine
import RasaPersona

/// What a model accepts besides text, and how many tokens it counts for.
extension Candidate {
  /// An estimate where the formula is unknown: the most cautious of the known ones.
  private static let usualImage: Int64 = 4_784
  private static let usualPage: Int64 = 7_784

  /// Whether it accepts such files; nil when unknown.
  func takes(_ kind: Attachment.Kind) -> Bool? {
    guard let settings, kind != .text else { return true }
    // Ollama's interface has a place for images alone.
    if kind == .pdf, settings.dialect == .ollama { return false }
    let said = kind == .image ? settings.takesImages : settings.takesPDFs
    if let said { return said }
    return facts?.inputs.map { $0.contains(kind) }
  }

  /// Whose way of counting holds.
  private var countedBy: String? {
    if let vendor = facts?.vendor.nonEmpty { return vendor }
    switch settings?.dialect {
    case .anthropic: return "anthropic"
    case .gemini: return "google"
    case .openAI, .ollama, nil: return settings?.vendor
    }
  }

  /// How closely the model is to look; nil where the server may not know the word.
  var imageDetail: ProviderSettings.ImageDetail? {
    guard let settings, settings.dialect == .openAI else { return nil }
    // `auto` would leave it to the server what an image costs.
    return settings.imageDetail ?? (settings.vendor == "openai" ? .high : nil)
  }

  private var attachmentFormula: AttachmentFormula? {
    var name = facts?.id ?? model ?? ""
    if let slash = name.lastIndex(of: "/") { name = String(name[name.index(after: slash)...]) }
    return AttachmentFormula(
      model: name.lowercased(), vendor: countedBy, isLowDetail: imageDetail == .low)
  }

  /// Whether what these count as is known from above.
  func bounds(_ attachments: [Attachment]) -> Bool {
    if isMock || attachments.isEmpty { return true }
    guard attachmentFormula != nil else { return false }
    return attachments.allSatisfy { $0.kind == .pdf ? $0.pages != nil : $0.pixels != nil }
  }

  /// Where pages cannot be counted, they are guessed by the size of the file.
  private static func pages(of attachment: Attachment) -> Int64 {
    attachment.pages ?? max(1, attachment.byteCount / 2_000)
  }

  /// The estimated tokens of each.
  func tokens(of attachments: [Attachment]) -> [Int64] {
    let formula = attachmentFormula
    return attachments.map { attachment in
      switch attachment.kind {
      case .text: return 0
      case .image:
        guard let formula, let pixels = attachment.pixels else { return Self.usualImage }
        return formula.tokens(of: pixels)
      case .pdf:
        let (tokens, overflow) = Self.pages(of: attachment)
          .multipliedReportingOverflow(by: formula?.tokensOfPage ?? Self.usualPage)
        return overflow ? .max / 4 : min(tokens, .max / 4)
      }
    }
  }

  /// Why it cannot be sent these, as far as that can be known here; nil when nothing speaks against
  /// it.
  func obstacle(to attachments: [Attachment]) -> String? {
    guard let settings, !attachments.isEmpty else { return nil }
    for attachment in attachments where takes(attachment.kind) == false {
      return settings.dialect == .ollama && attachment.kind == .pdf
        ? "Ollama takes no PDFs" : "it takes no \(attachment.kind.plural)"
    }
    return limits(settings)?.obstacle(to: attachments)
  }

  /// What of a request has no place in its interface, with the name by which clients know it.
  func obstacle(to request: ModelRequest, forClient: Bool) -> String? {
    guard let settings else { return nil }
    if request.requiredCall != nil, settings.dialect == .ollama {
      return "Ollama cannot be told that a tool has to be called (`tool_choice`)"
    }
    // An operator's tools are for the models that take them; a client waits for their calls.
    if forClient, settings.native != nil, !request.tools.isEmpty {
      return "a model of this program's own takes no tools (`tools`)"
    }
    return nil
  }

  private func limits(_ settings: ProviderSettings) -> AttachmentLimits? {
    switch settings.dialect {
    case .openAI: settings.isVendor && settings.vendor == "openai" ? .openAI : nil
    case .anthropic: (facts?.context ?? 0) > 200_000 ? .anthropicLarge : .anthropic
    case .gemini: .gemini
    case .ollama: nil
    }
  }
}

extension ModelRequest {
  /// With a note in place of what tools returned and the model does not take.
  func shown(to candidate: Candidate) -> ModelRequest {
    guard messages.contains(where: { $0.role == .tool && !$0.attachments.isEmpty }) else {
      return self
    }
    var request = self
    for index in messages.indices where messages[index].role == .tool {
      let attachments = messages[index].attachments
      let taken = attachments.filter { candidate.takes($0.kind) == true }
      let left = attachments.filter { candidate.takes($0.kind) != true }
      request.messages[index].attachments =
        candidate.obstacle(to: taken) == nil ? taken : []
      let missing = candidate.obstacle(to: taken) == nil ? left : attachments
      for attachment in missing {
        request.messages[index].text +=
          "\n[\(attachment.name) (\(attachment.summary)) was returned, which you cannot be shown]"
      }
    }
    return request
  }
}

/// What a provider refuses, so that it need not be sent: counts for one request.
struct AttachmentLimits: Sendable {
  var name: String
  /// In bytes of base64, as in the request.
  var largestImage = Int64.max
  var largestPDF = Int64.max
  var largestInAll = Int64.max
  var mostImages = Int.max
  var mostPages = Int64.max
  var longestSide = Int64.max
  /// With more images than this, none may have a longer side than that.
  var manyImages = (more: Int.max, longestSide: Int64.max)
  var unknownTypes: Set<Attachment.MediaType> = []

  /// Source: developers.openai.com, guides "Images and vision" and "File inputs".
  static let openAI = AttachmentLimits(
    name: "OpenAI", largestPDF: Base64.length(ofBytes: 50_000_000),
    largestInAll: Base64.length(ofBytes: 50_000_000), mostImages: 500)
  /// Source: platform.claude.com, "Vision", "PDF support" and "Request size limits". The limit of an
  /// image counts its base64.
  static let anthropic = AttachmentLimits(
    name: "Anthropic", largestImage: 10 << 20, largestInAll: 32_000_000, mostImages: 100,
    mostPages: 100, longestSide: 8_000, manyImages: (20, 2_000))
  static let anthropicLarge = {
    var limits = anthropic
    limits.mostImages = 600
    limits.mostPages = 600
    return limits
  }()
  /// Source: ai.google.dev, "File input methods", "Image understanding", "Document understanding".
  static let gemini = AttachmentLimits(
    name: "Gemini", largestPDF: Base64.length(ofBytes: 50_000_000), largestInAll: 100_000_000,
    mostImages: 3_000, mostPages: 1_000, unknownTypes: [.gif])

  func obstacle(to attachments: [Attachment]) -> String? {
    let images = attachments.count { $0.kind == .image }
    if images > mostImages { return "\(name) takes at most \(mostImages) images at once" }
    var inAll: Int64 = 0
    var pages: Int64 = 0
    for attachment in attachments {
      if unknownTypes.contains(attachment.type) {
        return "\(name) takes no \(attachment.type.title) (\(attachment.name))"
      }
      let bytes = Base64.length(ofBytes: attachment.byteCount)
      let most = attachment.kind == .pdf ? largestPDF : largestImage
      if bytes > most {
        return "\(attachment.name) is larger than the "
          + "\(megabytes(Base64.bytes(ofLength: most))) that \(name) takes"
      }
      inAll = min(inAll + bytes, .max / 2)
      pages = min(pages + (attachment.pages ?? 0), .max / 2)
      guard let pixels = attachment.pixels else { continue }
      let longest = max(pixels.width, pixels.height)
      if longest > longestSide {
        return
          "\(attachment.name) has \(pixels.width)×\(pixels.height) pixels, and \(name) takes no "
          + "side longer than \(longestSide)"
      }
      if images > manyImages.more, longest > manyImages.longestSide {
        return "\(attachment.name) has \(pixels.width)×\(pixels.height) pixels, and with more than "
          + "\(manyImages.more) images \(name) takes no side longer than \(manyImages.longestSide)"
      }
    }
    if inAll > largestInAll {
      return "the attachments come to \(megabytes(inAll)) of base64, and \(name) takes "
        + "\(megabytes(largestInAll)) in one request"
    }
    if pages > mostPages {
      return "the PDFs have up to \(pages) pages, and \(name) takes \(mostPages) in one request"
    }
    return nil
  }

  private func megabytes(_ bytes: Int64) -> String { "\(bytes / 1_000_000) MB" }
}

extension Base64 {
  fileprivate static func length(ofBytes count: Int64) -> Int64 { (count + 2) / 3 * 4 }
  fileprivate static func bytes(ofLength length: Int64) -> Int64 { length / 4 * 3 }
}
