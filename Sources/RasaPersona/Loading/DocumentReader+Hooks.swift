import RasaCore
import RasaDocuments

extension DocumentReader {
  private static let hookKeys = [
    "name", "run", "post", "headers", "allow_private", "operator", "tool", "timeout", "on_failure",
    "sandbox",
  ]

  /// `hooks: {before_tool: [{run: [./guard]}, …], …}`.
  ///
  /// - Parameter isUsers: whether it is the user's own configuration, which alone may do without a sandbox.
  mutating func hooks(
    _ node: DocumentNode?, isProject: Bool = false, isUsers: Bool = false
  ) -> [HookDefinition] {
    let points = HookPoint.allCases.map(\.rawValue)
    var hooks: [HookDefinition] = []
    let entries = entries(
      node, "hooks", mustBe: "a mapping of \(Self.listed(points)) to lists of hooks")
    for entry in entries {
      guard let point = HookPoint(rawValue: entry.key) else {
        let nearest = nearestName(to: entry.key, among: points)
        fail(
          Failure(
            .configuration, "`\(Self.printable(entry.key))` is no point at which hooks are asked",
            suggestion: nearest.map { "did you mean `\($0)`?" }
              ?? "there are \(Self.listed(points, "and"))", at: entry.keyLocation))
        continue
      }
      var names: Set<String> = []
      for node in oneOrMore(entry.value) {
        guard var hook = hook(node, point, number: names.count + 1) else { continue }
        hook.sandbox = toolSandbox(node["sandbox"], isUsers: isUsers)
        hook.isProject = isProject
        if !names.insert(hook.name).inserted {
          fail(
            node, "`\(point.rawValue)` has two hooks named `\(hook.name)`",
            suggestion: "give each its own `name`: the journal tells them apart by it")
          continue
        }
        hooks.append(hook)
      }
    }
    return hooks
  }

  private mutating func hook(
    _ node: DocumentNode, _ point: HookPoint, number: Int
  ) -> HookDefinition? {
    guard let fields = fields(node, of: "a hook", known: Self.hookKeys) else { return nil }
    let action: HookDefinition.Action?
    let allowsPrivate = texts(fields["allow_private"], "allow_private")
    switch (fields["run"], fields["post"]) {
    case (let run?, nil):
      if let headers = fields["headers"] {
        fail(headers, "`headers` belong to `post`, and this hook is a program")
      }
      if let hosts = fields["allow_private"] {
        fail(
          hosts, "`allow_private` belongs to `post`, and this hook is a program",
          suggestion: "name the hosts that a program may reach under `network` of its `sandbox`")
      }
      action = program(run).map { .program(command: $0) }
    case (nil, let post?):
      action = address(post, allowsPrivate).map { .http(url: $0, headers: headers(fields)) }
    case (.some, let post?):
      fail(post, "`run` and `post` are both given", suggestion: "keep one of the two")
      action = nil
    case (nil, nil):
      fail(
        node, "the hook says neither what to `run` nor where to `post`",
        suggestion: "write `run: [./guard]` or `post: https://host/path`")
      action = nil
    }
    let name = fields["name"] == nil ? nil : name(fields["name"], "name")
    guard let action else { return nil }
    var hook = HookDefinition(
      name: name ?? Self.hookName(action) ?? "hook_\(number)", point: point, action: action,
      location: node.location)
    hook.allowsPrivate = allowsPrivate
    hook.operatorPattern = text(fields["operator"], "operator")
    hook.toolPattern = text(fields["tool"], "tool")
    if let pattern = fields["tool"], point != .beforeTool, point != .afterTool {
      fail(pattern, "`tool` says nothing at `\(point.rawValue)`", suggestion: "remove it")
    }
    if let pattern = fields["operator"], point.isOfRun {
      fail(
        pattern, "`operator` says nothing at `\(point.rawValue)`, which belongs to the whole run",
        suggestion: "remove it")
    }
    if let seconds = self.number(fields["timeout"], "timeout", in: 0.1...600, unit: " of seconds") {
      hook.timeout = seconds
    }
    if let policy: HookFailurePolicy = choice(fields["on_failure"], "on_failure") {
      hook.onFailure = policy
    }
    return hook
  }

  /// `[program, argument, …]`; a single text is a program without arguments.
  private mutating func program(_ node: DocumentNode) -> [String]? {
    if case .scalar = node.content {
      guard let name = text(node, "run") else { return nil }
      guard !name.isEmpty, !name.utf8.contains(0x20) else {
        fail(
          node, "run", mustBe: "a list of a program and its arguments",
          suggestion: "no shell reads it: write it as `[program, argument]`")
        return nil
      }
      return [name]
    }
    let words = texts(node, "run")
    guard let first = words.first, !first.isEmpty, !words.contains(where: { $0.utf8.contains(0) })
    else {
      if failures.isEmpty || words.isEmpty {
        fail(node, "run", mustBe: "a list of a program and its arguments")
      }
      return nil
    }
    return words
  }

  private mutating func address(_ node: DocumentNode, _ allowsPrivate: [String]) -> String? {
    guard let url = text(node, "post") else { return nil }
    do {
      let address = try AddressText(url, schemes: ["https", "http"])
      let isHere = ["localhost", "127.0.0.1", "::1"].contains(address.host)
      guard url.hasBytePrefix("https") || isHere else {
        fail(
          node, "`post` is not an https address",
          suggestion: "what hooks see is private: only this machine may be reached without TLS")
        return nil
      }
      let name = address.host.utf8.contains(UInt8(ascii: ":")) ? "[\(address.host)]" : address.host
      let isMeant = allowsPrivate.contains {
        $0.lowercased() == address.host || $0.lowercased() == name
          || $0.lowercased().hasBytePrefix("\(name):")
      }
      guard !isHere || isMeant else {
        fail(
          node, "`post` leads to this machine, which hooks may reach only where that is meant",
          suggestion: "if it is, add `allow_private: [\"\(name)\"]`")
        return nil
      }
      return url
    } catch {
      fail(node, "`post` is not an address: \(error.problem)", suggestion: error.suggestion)
      return nil
    }
  }

  private mutating func headers(_ fields: Fields) -> [Header] {
    entries(fields["headers"], "headers", mustBe: "a mapping of names to texts").compactMap {
      entry in
      text(entry.value, entry.key).map { Header(name: entry.key, value: $0) }
    }
  }

  /// The program's or host's name, as far as a name can have it.
  private static func hookName(_ action: HookDefinition.Action) -> String? {
    let text: Substring?
    switch action {
    case .program(let command): text = command.first?.split(separator: "/").last
    case .http(let url, _):
      text = url.split(separator: "/").dropFirst().first?.prefix { $0 != "/" && $0 != ":" }
    }
    guard let text else { return nil }
    let bytes = text.utf8.map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        byte
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      default: UInt8(ascii: "_")
      }
    }
    let name = String(decoding: bytes.prefix(40), as: UTF8.self)
    return isName(name) ? name : nil
  }
}
