package import RasaCore
package import RasaPersona

/// What a person has approved of a server: how it is started, what it may reach, and what it offered then.
package struct ServerPin: Sendable, Hashable {
  /// What it is for: see `PinStore.key`.
  package var digest: String
  package var name: String
  /// The file that declares it.
  package var file: String
  /// The declaration as it was, without secrets.
  package var declared: ValueObject
  /// What it may reach beyond its declaration.
  package var access = ToolSandbox()
  /// What it offered; nil until it has run for the first time.
  package var offer: ServerOffer?
  /// Whether the approval covers all of an offer. Those of the first form covered neither titles nor annotations and
  /// instructions.
  package var coversAll = true
  /// What it offered after that, which nobody has approved: it is not used any more, whatever it offers now.
  package var changed: ServerOffer?
  /// The tools that were left out when it was approved, and why.
  package var leftOut: [MCPToolDefinition.Refusal] = []
  package var since: Timestamp
  package var by: String

  package init(
    of declaration: ToolDeclaration, key: String, at time: Timestamp, by user: String
  ) {
    digest = key
    name = declaration.name
    file = declaration.location.file
    declared = declaration.shown
    since = time
    by = user
  }

  private static let caches = [
    ("UV_CACHE_DIR", "${HOME}/.cache/uv"), ("UV_TOOL_DIR", "${HOME}/.local/share/uv/tools"),
    ("UV_PYTHON_INSTALL_DIR", "${HOME}/.local/share/uv/python"),
    ("npm_config_cache", "${HOME}/.npm"),
  ]
  /// The folders of those caches, which are made if they are missing.
  package static let cacheFolders = ["~/.cache/uv", "~/.local/share/uv", "~/.npm"]

  /// The declaration with the access that was granted for it.
  package func granting(_ declaration: ToolDeclaration) -> ToolDeclaration {
    var declaration = declaration
    declaration.sandbox = declaration.sandbox.widened(by: access)
    // The home of a sandbox is empty, so who fetches the server has to be told where the cache is.
    if !access.write.isEmpty, case .mcp(var server) = declaration.kind,
      case .stdio(let command, var environment, let folder) = server.transport
    {
      for (name, path) in Self.caches
      where access.write.contains(where: { path.hasBytePrefix("${HOME}" + $0.dropFirst()) }) {
        if environment[name] == nil { environment[name] = path }
      }
      server.transport = .stdio(command: command, environment: environment, folder: folder)
      declaration.kind = .mcp(server)
    }
    return declaration
  }
}

extension ToolSandbox {
  /// What either of the two allows.
  package func widened(by other: ToolSandbox) -> ToolSandbox {
    var wider = self
    switch (network, other.network) {
    case (.all, _), (_, .all): wider.network = .all
    case (.hosts(let own), .hosts(let more)):
      wider.network = .hosts(own + more.filter { !own.contains($0) })
    case (.none, .hosts(let more)): wider.network = .hosts(more)
    case (_, .none): break
    }
    wider.privateHosts += other.privateHosts.filter { !privateHosts.contains($0) }
    wider.read += other.read.filter { !read.contains($0) }
    wider.write += other.write.filter { !write.contains($0) }
    return wider
  }

  fileprivate init(pinned value: Value) {
    self.init()
    if value["network"] == "all" {
      network = .all
    } else if let hosts = value["network"].array {
      network = .hosts(hosts.compactMap(\.string))
    }
    privateHosts = (value["private"].array ?? []).compactMap(\.string)
    read = (value["read"].array ?? []).compactMap(\.string)
    write = (value["write"].array ?? []).compactMap(\.string)
  }
}

extension ToolDeclaration {
  /// What a program that fetches the server before it starts it needs: the package index, and a cache. A declaration
  /// that says what the server may reach gets no more than that.
  package var usualAccess: ToolSandbox {
    var access = ToolSandbox()
    guard let command, sandbox == ToolSandbox(),
      let program = command.first?.split(atByte: "/").last.map(String.init)
    else { return access }
    let isRunner =
      command.dropFirst().first == "run" || command.dropFirst().prefix(2) == ["tool", "run"]
    switch program {
    case "uvx",
      "uv" where program == "uvx" || isRunner, "pipx" where isRunner:
      access.network = .hosts(["pypi.org", "files.pythonhosted.org"])
      access.write = ["~/.cache/uv", "~/.local/share/uv"]
    case "npx", "bunx", "pnpx":
      access.network = .hosts(["registry.npmjs.org"])
      access.write = ["~/.npm"]
    default: break
    }
    return access
  }

  /// How it is started and what it may reach, for a person who decides about it.
  package func accessLines(with access: ToolSandbox) -> [(label: String, text: String)] {
    var lines: [(label: String, text: String)] = []
    if let command {
      lines.append(("command", command.map(Self.quoted).joined(separator: " ")))
    }
    if let address { lines.append(("address", address)) }
    if !privateHosts.isEmpty { lines.append(("private", privateHosts.joined(separator: ", "))) }
    let variables = variables
    if !variables.isEmpty { lines.append(("variables", variables.joined(separator: ", "))) }
    guard command != nil else { return lines }
    if let folder { lines.append(("folder", folder)) }
    let box = sandbox.widened(by: access)
    switch box.runtime {
    case .bubblewrap: lines.append(("sandbox", "bubblewrap"))
    case .docker(let image): lines.append(("sandbox", "docker, image \(image)"))
    case .podman(let image): lines.append(("sandbox", "podman, image \(image)"))
    case .none:
      lines.append(("sandbox", "none: it can do what you can"))
      return lines
    }
    switch box.network {
    case .none: lines.append(("network", "none"))
    case .hosts(let hosts): lines.append(("network", hosts.joined(separator: ", ")))
    case .all: lines.append(("network", "everything"))
    }
    func listed(_ paths: [String]) -> String {
      paths.map { $0.hasByteSuffix("?") ? "\($0.dropLast()) if it is there" : $0 }
        .joined(separator: ", ")
    }
    if !box.read.isEmpty { lines.append(("reads", listed(box.read))) }
    if !box.write.isEmpty { lines.append(("writes", listed(box.write))) }
    return lines
  }

  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
          || "-_./:@=+,%".utf8.contains(byte)
      }
    return isPlain ? word : Value.string(word).json()
  }
}

extension ServerPin {
  package var value: Value {
    var value: ValueObject = [
      "version": .int(coversAll ? 2 : 1), "digest": .string(digest), "name": .string(name),
      "file": .string(file), "declared": .object(declared), "access": .object(access.value),
      "since_ms": .int(since.milliseconds), "by": .string(by),
    ]
    if let offer {
      for (key, member) in offer.value { value[key] = member }
    }
    if let changed { value["changed"] = .object(changed.value) }
    if !leftOut.isEmpty {
      value["left_out"] = .array(
        leftOut.map { ["name": .string($0.name), "reason": .string($0.reason)] })
    }
    return .object(value)
  }

  /// Nil for what is no pin.
  package init?(_ value: Value) {
    guard let version = value["version"].int, [1, 2].contains(version),
      let digest = value["digest"].string, let name = value["name"].string,
      let file = value["file"].string
    else { return nil }
    self.digest = digest
    self.name = name
    self.file = file
    declared = value["declared"].object ?? ValueObject()
    access = ToolSandbox(pinned: value["access"])
    since = Timestamp(milliseconds: value["since_ms"].int ?? 0)
    by = value["by"].string ?? ""
    coversAll = version > 1
    if !value["tools"].isNull {
      guard let offer = ServerOffer(value) else { return nil }
      self.offer = offer
    }
    if !value["changed"].isNull {
      guard let changed = ServerOffer(value["changed"]) else { return nil }
      self.changed = changed
    }
    leftOut = (value["left_out"].array ?? []).map {
      MCPToolDefinition.Refusal(name: $0["name"].string ?? "", reason: $0["reason"].string ?? "")
    }
  }

  /// What has changed since it was approved; nil until it has run for the first time.
  package func difference(to offered: ServerOffer) -> PinDifference? {
    guard let offer else { return nil }
    return PinDifference(from: offer, to: coversAll ? offered : offered.covered)
  }
}
