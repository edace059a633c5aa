package import RasaCore
package import RasaEngine
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
  /// Nil until it has run for the first time.
  package var tools: [PinnedTool]?
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

/// What a server says about one of its tools.
package struct PinnedTool: Sendable, Hashable {
  package var name: String
  package var text: String
  package var parameters: Value
  package var output: Value?

  package init(_ tool: ToolDescription) {
    name = tool.nameOnServer
    text = tool.text
    parameters = tool.parameters
    output = tool.output
  }

  fileprivate init?(_ name: String, _ value: Value) {
    guard let text = value["description"].string else { return nil }
    self.name = name
    self.text = text
    parameters = value["parameters"]
    output = value["output"].isNull ? nil : value["output"]
  }

  package var value: ValueObject {
    var value: ValueObject = ["description": .string(text), "parameters": parameters]
    if let output { value["output"] = output }
    return value
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
    if !box.read.isEmpty { lines.append(("reads", box.read.joined(separator: ", "))) }
    if !box.write.isEmpty { lines.append(("writes", box.write.joined(separator: ", "))) }
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
      "version": 1, "digest": .string(digest), "name": .string(name), "file": .string(file),
      "declared": .object(declared), "access": .object(access.value),
      "since_ms": .int(since.milliseconds), "by": .string(by),
    ]
    if let tools {
      value["tools"] = .object(ValueObject(tools.map { ($0.name, .object($0.value)) }))
    }
    return .object(value)
  }

  /// Nil for what is no pin.
  package init?(_ value: Value) {
    guard value["version"] == 1, let digest = value["digest"].string,
      let name = value["name"].string, let file = value["file"].string
    else { return nil }
    self.digest = digest
    self.name = name
    self.file = file
    declared = value["declared"].object ?? ValueObject()
    access = ToolSandbox(pinned: value["access"])
    since = Timestamp(milliseconds: value["since_ms"].int ?? 0)
    by = value["by"].string ?? ""
    if let kept = value["tools"].object {
      var tools: [PinnedTool] = []
      for (name, tool) in kept {
        guard let tool = PinnedTool(name, tool) else { return nil }
        tools.append(tool)
      }
      self.tools = tools
    }
  }
}
