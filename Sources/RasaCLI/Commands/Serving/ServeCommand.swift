import RasaCore
import RasaKit
import RasaServer
import RasaSystem
import RasaTerminal

/// `rasa serve`.
struct ServeCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    var settings = try settings(command)
    let isQuiet = print.isJSON
    settings.warn = { [console, rasa] text in
      try? console.note("rasa: warning: \(printable(rasa.redacting(text)))\n")
    }
    let grace = Duration.seconds(command.integer("grace") ?? 10)
    let server = try Server.start(rasa, settings)
    try say(server, settings)
    try rasa.warmUp()
    do {
      try await interruptible { _ in
        // Until a signal comes.
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3_600)) }
      }
    } catch let interrupted as Interrupted {
      let live = server.liveRuns
      if !isQuiet, live > 0 {
        try? console.note("rasa: waiting for \(live) \(live == 1 ? "run" : "runs")\n")
      }
      let parked = await server.stop(grace: grace)
      if parked > 0 {
        try? console.note(
          "rasa: parked \(parked) \(parked == 1 ? "run" : "runs"); the next `rasa serve` goes on\n")
      }
      // Whoever stops a server has not interrupted any work.
      guard interrupted.signal != .terminate, interrupted.signal != .interrupt else { return }
      throw interrupted
    }
  }

  private func say(_ server: Server, _ settings: ServerSettings) throws {
    let address = server.address
    if print.isJSON {
      return try print([
        "url": .string(address), "token_file": server.tokenFile.map { .string($0) } ?? .null,
        "openapi": .string("\(address)/openapi.json"), "mcp": .string("\(address)/mcp"),
      ])
    }
    let lines = [
      "rasa \(Rasa.version) serves \(address)",
      "  API        \(address)/openapi.json",
      "  OpenAI     \(address)/v1",
      "  Anthropic  \(address)",
      "  Ollama     \(address)\(settings.opensOllama ? " (its routes without a token)" : "")",
      "  MCP        \(address)/mcp",
      "  token      \(server.tokenFile ?? "$RASA_TOKEN")",
    ]
    try print.output.write(lines.joined(separator: "\n") + "\n")
  }

  private func settings(_ command: ParsedCommand) throws(Failure) -> ServerSettings {
    var settings = ServerSettings()
    let listen = command.text("listen") ?? "127.0.0.1:8000"
    guard let place = ListenAddress(listen) else {
      throw Failure(
        .usage, "\(quoted(listen)) is no place to listen at",
        suggestion: "give an address and a port, such as 127.0.0.1:8000, [::1]:8000 or 0.0.0.0:8443"
      )
    }
    settings.address = place.address
    settings.port = place.port
    settings.hosts = command.texts("host")
    settings.origins = command.texts("origin").map { $0.lowercased() }
    settings.opensOllama = command.flag("ollama-open")
    settings.ollamaDaily = command.text("ollama-daily").flatMap { Rasa.Dollars($0) }
    settings.mostAtOnce = command.integer("concurrency") ?? 1_000
    if let token = console.environment["RASA_TOKEN"], !token.isEmpty { settings.token = token }
    let (certificate, key) = (command.text("tls-cert"), command.text("tls-key"))
    switch (certificate, key) {
    case (let certificate?, let key?): settings.tls = try ServerSettings.TLS(certificate, key)
    case (nil, nil): break
    default:
      throw Failure(
        .usage, "a certificate and its key belong together",
        suggestion: "give both `--tls-cert` and `--tls-key`")
    }
    if !place.isLoopback {
      guard settings.tls != nil else {
        throw Failure(
          .usage, "beyond this machine tokens and answers would be sent unencrypted",
          suggestion: "add `--tls-cert` and `--tls-key`, or listen on 127.0.0.1 behind a proxy")
      }
      guard !settings.hosts.isEmpty else {
        throw Failure(
          .usage, "the names are missing that clients call the server by",
          suggestion: "add `--host NAME` for each")
      }
      guard !settings.opensOllama else {
        throw Failure(
          .usage, "`--ollama-open` is for this machine only",
          suggestion: "listen on 127.0.0.1, or have front ends send a token")
      }
    }
    return settings
  }
}

/// `rasa tokens …`.
struct TokensCommand {
  let list: TokenList
  let print: Printer

  func run(_ command: ParsedCommand) throws {
    switch command.path.last {
    case "create": try create(command)
    case "revoke":
      let name = command.arguments[0]
      guard try list.revoke(name) else {
        throw Failure(
          .usage, "there is no token \(quoted(name))", suggestion: "`rasa tokens list` shows them")
      }
      if print.isJSON { return try print(["name": .string(name), "revoked": true]) }
      try print(text: "revoked \(name); it is not valid any more\n")
    default:
      let tokens = try list.list()
      try print(
        Table(
          columns: [
            "NAME", "SCOPES", "MODELS", "USER", "A RUN", "A DAY", "A MONTH", "A MINUTE", "AT ONCE",
          ],
          rows: tokens.map { token in
            func joined(_ name: String) -> String {
              let words = (token[name].array ?? []).compactMap(\.string)
              return words.isEmpty ? "all" : words.joined(separator: ",")
            }
            func dollars(_ name: String) -> String { token[name].string.map { "$\($0)" } ?? "-" }
            return [
              token["name"].string ?? "", joined("scopes"), joined("models"),
              token["user"].string ?? "-", dollars("max_cost_usd"), dollars("daily_usd"),
              dollars("monthly_usd"),
              token["requests_per_minute"].int.map { "\($0)" } ?? "-",
              token["concurrency"].int.map { "\($0)" } ?? "-",
            ]
          },
          values: tokens, whenEmpty: "no tokens beside that of the server itself"))
    }
  }

  private func create(_ command: ParsedCommand) throws {
    let name = command.arguments[0]
    func words(_ option: String) -> [Value] {
      command.texts(option).flatMap { $0.split(atByte: ",", omittingEmpty: true) }
        .map { .string(String($0)) }
    }
    var allowed: ValueObject = [
      "name": .string(name), "scopes": .array(words("scope")), "models": .array(words("models")),
    ]
    if let user = command.text("user") { allowed["user"] = .string(user) }
    if let most = command.text("max-cost") { allowed["max_cost_usd"] = .string(most) }
    for (option, member) in [("daily", "daily_usd"), ("monthly", "monthly_usd")] {
      if let most = command.text(option) { allowed[member] = .string(most) }
    }
    if let count = command.integer("per-minute") {
      allowed["requests_per_minute"] = .int(Int64(count))
    }
    if let count = command.integer("at-once") { allowed["concurrency"] = .int(Int64(count)) }
    let token = try list.create(.object(allowed))
    if print.isJSON {
      allowed["token"] = .string(token)
      return try print(.object(allowed))
    }
    try print(text: "\(token)\n")
  }
}
