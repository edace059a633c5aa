package import RasaCore
import RasaDocuments
package import RasaEngine
package import RasaHTTPClient
package import RasaPersona
import RasaProcess
import RasaSystem

/// Asks hooks: programs in a sandbox, with JSON on their standard input and output; and HTTP addresses, with a POST.
package struct HookClient: HookRunner {
  /// The user's own, of all points.
  private let own: [HookDefinition]
  /// What programs are given of it is a short list; what headers name has to be in it.
  private let environment: [String: String]
  private let client: @Sendable () throws -> HTTPClient
  private let launcher: any ProcessLauncher

  /// No answer may be longer.
  package static let largestAnswer = 1_000_000

  package init(
    _ own: [HookDefinition], environment: [String: String],
    client: @escaping @Sendable () throws -> HTTPClient, launcher: any ProcessLauncher
  ) {
    self.own = own
    self.environment = environment
    self.client = client
    self.launcher = launcher
  }

  package var hasOwn: Bool { !own.isEmpty }

  package func hooks(at place: HookPlace) -> [HookDefinition] {
    own.filter { $0.point == place.point }
  }

  package func ask(_ call: HookCall) async throws -> Value {
    let bytes: [UInt8]
    switch call.hook.action {
    case .program(let command): bytes = try await run(command, call)
    case .http(let url, let headers): bytes = try await post(to: url, headers, call)
    }
    // A hook that has nothing to say may say nothing.
    if bytes.allSatisfy({ $0 <= 0x20 }) { return .null }
    do throws(Failure) {
      return try JSON.parse(bytes, named: call.hook.target)
    } catch {
      throw Failure(
        .run, "its answer is not JSON: \(error.message)",
        suggestion: "it may answer `{}`, `{\"change\": {…}}` or `{\"refuse\": \"reason\"}`")
    }
  }

  private static let tooLarge = Failure(
    .run, "its answer is larger than 1 MB", suggestion: "have it answer only what changes")

  // MARK: Programs

  private func run(_ words: [String], _ call: HookCall) async throws -> [UInt8] {
    var sandbox = call.hook.sandbox
    let words = Self.resolved(words, in: Self.folder(of: call.hook.location.file), &sandbox)
    var command = ChildCommand(words)
    // The rest of what a program needs is the launcher's to give. Keys and passwords are nobody's.
    command.environment["PATH"] = environment["PATH"]
    command.environment["RASA_HOOK"] = call.hook.name
    command.environment["RASA_EVENT"] = call.hook.point.rawValue
    command.environment["RASA_IDEMPOTENCY_KEY"] = call.idempotencyKey
    let child = try await launcher.start(command, in: sandbox)
    let input = call.document.jsonBytes(.compact) + [0x0A]
    // One that answers without reading everything has not failed.
    let writer = Task {
      try? await child.write(input)
      child.closeInput()
    }
    defer { writer.cancel() }
    do {
      var output: [UInt8] = []
      while let bytes = try await child.read() {
        output += bytes
        guard output.count <= Self.largestAnswer else { throw Self.tooLarge }
      }
      let status = await withTaskCancellationHandler {
        await child.wait()
      } onCancel: {
        Task { await child.end(grace: .zero) }
      }
      try Task.checkCancellation()
      if let failure = SandboxLauncher.failure(of: child) { throw failure }
      guard status.isSuccess else {
        throw Failure(
          .run, "it ended with \(status)",
          details: Self.lastLines(child.errorTail) + child.remarks)
      }
      return output
    } catch {
      _ = await child.end(grace: error is CancellationError ? .seconds(1) : .zero)
      throw error
    }
  }

  /// Paths in a command begin in the folder of the file that has it. What they name can be read in the sandbox, with
  /// what is beside it.
  private static func resolved(
    _ words: [String], in base: String, _ sandbox: inout ToolSandbox
  ) -> [String] {
    func absolute(_ path: String) -> String {
      path.hasBytePrefix("/") || path.hasBytePrefix("~")
        ? path : FileSystem.absolute(FileSystem.path(path, in: base))
    }
    sandbox.read = sandbox.read.map(absolute)
    sandbox.write = sandbox.write.map(absolute)
    var resolved = words
    for (index, word) in words.enumerated() where !word.hasBytePrefix("-") {
      guard !word.hasBytePrefix("/") else {
        if index > 0, FileSystem.kind(of: word) == .file { sandbox.read.append(word) }
        continue
      }
      // A bare name is a program of the `PATH`, unless it is an argument.
      guard index > 0 || word.utf8.contains(UInt8(ascii: "/")) else { continue }
      let path = FileSystem.absolute(FileSystem.path(word, in: base))
      guard index == 0 || FileSystem.kind(of: path) == .file else { continue }
      resolved[index] = FileSystem.realPath(path) ?? path
      let folder = FileSystem.parent(of: resolved[index])
      if !sandbox.read.contains(folder) { sandbox.read.append(folder) }
    }
    return resolved
  }

  /// Paths of a definition begin in the folder of its file.
  private static func folder(of file: String) -> String {
    guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }

  private static func lastLines(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).suffix(3).map {
      String($0).printable(atMost: 300, ellipsis: "…")
    }
  }

  // MARK: HTTP

  private func post(
    to url: String, _ headers: [Header], _ call: HookCall
  ) async throws -> [UInt8] {
    var fields = [
      (name: "Content-Type", value: "application/json"),
      (name: "Accept", value: "application/json"),
      (name: "Idempotency-Key", value: call.idempotencyKey),
    ]
    for header in headers {
      fields.append((header.name, try expanded(header, call.hook.location)))
    }
    let request = HTTPRequest(
      url: url, headers: fields, body: call.document.jsonBytes(.compact),
      allowsPlainHTTP: Self.isHere(url),
      addressPolicy: AddressPolicy(allowsPrivate: call.hook.allowsPrivate))
    do {
      let response = try await client().send(request)
      guard (200...299).contains(response.status) else {
        response.body.cancel()
        throw Failure(
          .run, "it answered with status \(response.status)",
          suggestion: (300...399).contains(response.status)
            ? "redirects are not followed: name the address that it leads to" : "")
      }
      let body = try await response.body.collect(limit: Self.largestAnswer + 1)
      guard body.count <= Self.largestAnswer else { throw Self.tooLarge }
      return body
    } catch let error as HTTPError {
      try Task.checkCancellation()
      throw Failure(
        .run, "it cannot be reached: \(error.message)",
        suggestion: error.code == .refusedAddress
          ? "if that is meant, name the host under `allow_private:` of the hook"
          : error.suggestion ?? "")
    }
  }

  /// With the values of the variables that it names.
  private func expanded(
    _ header: Header, _ location: SourceLocation
  ) throws(Failure) -> String {
    var text = ""
    var rest = header.value[...]
    while let begin = rest.firstIndex(of: "$") {
      text += rest[..<begin]
      let after = rest[rest.index(after: begin)...]
      guard after.first == "{", let end = after.firstIndex(of: "}") else {
        text += "$"
        rest = after
        continue
      }
      let name = String(after[after.index(after: after.startIndex)..<end])
      guard let value = environment[name], !value.isEmpty else {
        throw Failure(
          .configuration,
          "its header `\(header.name)` needs the variable `\(name)`, which is not set",
          suggestion: "set it, or change the header", at: location)
      }
      text += value
      rest = after[after.index(after: end)...]
    }
    return text + rest
  }

  /// Whether an address without TLS stays on this machine.
  private static func isHere(_ url: String) -> Bool {
    let host = url.dropFirst("http://".count).prefix { $0 != "/" }
    return ["localhost", "127.0.0.1", "[::1]"].contains { name in
      host == name || host.hasPrefix("\(name):")
    }
  }
}
