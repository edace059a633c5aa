/// Tools and the servers that have them.
extension CommandSpec {
  static let tools = CommandSpec(
    "tools", "List, show, call, check and approve tools", heading: "Inspect",
    examples: [
      Example("List the tools and servers", "rasa tools list"),
      Example("Read what one of them takes", "rasa tools show mcp:time"),
      Example("Start the servers and see what they offer", "rasa tools check"),
    ],
    notes: [
      HelpNote(
        "Where tools come from",
        "`tools:` of a persona or of config.yaml, and the `mcpServers` of other programs: .mcp.json and "
          + ".vscode/mcp.json of the project, mcp.json in your configuration folder, and Claude Desktop's file."
      )
    ],
    subcommands: [
      CommandSpec(
        "list", "List the declared tools and servers; none is started",
        examples: [
          Example("All of them", "rasa tools list"),
          Example("Those of a persona, too", "rasa tools list --persona my_analyst"),
          Example("For a program", "rasa tools list --json"),
        ],
        options: [.ofPersona, .json]),
      CommandSpec(
        "show", "Show what a tool takes, or what a server offers",
        examples: [
          Example("An HTTP tool", "rasa tools show quote"),
          Example("A server with its tools", "rasa tools show mcp:time"),
        ],
        arguments: [.tool("NAME", "The name of a tool or a server")],
        options: [.ofPersona, .json]),
      CommandSpec(
        "call", "Use a tool once, as a run of its own",
        examples: [
          Example("An HTTP tool", "rasa tools call quote symbol=NVDA"),
          Example(
            "A tool of a server",
            "rasa tools call mcp:time/get_current_time '{\"timezone\": \"Europe/Berlin\"}'"),
          Example(
            "A tool of a server that no file declares",
            "rasa tools call --server 'mcp-server-time' get_current_time timezone=UTC"),
        ],
        arguments: [
          .tool("NAME", "The tool's name, such as quote or mcp:time/convert_time"),
          ArgumentSpec(
            "ARGUMENTS",
            "An object as JSON, `-` to read it from standard input, or NAME=VALUE items",
            isOptional: true, repeats: true),
        ],
        options: [
          OptionSpec(
            "server", .value(placeholder: "COMMAND", .text),
            "Start this command as the server; NAME is then a tool of it"),
          OptionSpec(
            "output", short: "o", .value(placeholder: "FOLDER", .text),
            "Write images and documents that it returns into this folder"
          ).completing(.files),
          .ofPersona, .maxSeconds, .approval.under("Running"), .trust, .outputFormat, .jsonFormat,
          .verbose.under("Output"), .quiet.under("Output"),
        ],
        rules: [.atMostOne([.option("verbose"), .option("quiet")])],
        notes: [
          HelpNote(
            "What is asked",
            "A tool with side effects, or of which nobody has said that it has none, needs an approval. The use is a "
              + "run: `rasa runs show` shows it, and `rasa resume` continues it.")
        ]),
      CommandSpec(
        "check", "Start servers and list what they offer; nothing is used",
        examples: [
          Example("All of them", "rasa tools check"),
          Example("One of them", "rasa tools check mcp:time"),
        ],
        arguments: [
          .tool(
            "NAME", "Tools and servers; all that are declared by default", isOptional: true,
            repeats: true)
        ],
        options: [.ofPersona, .trust, .json],
        notes: [
          HelpNote(
            "Exit code", "0 if all of them can be used, 7 if the first that cannot is not approved."
          )
        ]),
      .toolsPolicy,
      CommandSpec(
        "login", "Log in to a remote server in your browser",
        examples: [Example("Log in", "rasa tools login mcp:tickets")],
        arguments: [.tool("NAME", "The name of a remote server")],
        options: [.ofPersona, .trust, .json]),
      CommandSpec(
        "logout", "Forget the login to a remote server",
        examples: [Example("Log out", "rasa tools logout mcp:tickets")],
        arguments: [.tool("NAME", "The name of a remote server")],
        options: [.ofPersona, .json]),
      CommandSpec(
        "approve", "Approve a server: its command, what it may reach, and what it offers",
        examples: [
          Example("See what a server needs, and start it", "rasa tools approve mcp:time --yes"),
          Example(
            "Let it reach a host, without a question",
            "rasa tools approve mcp:time --network api.example.com --yes"),
        ],
        arguments: [.tool("NAME", "The name of a server")],
        options: [
          .ofPersona,
          OptionSpec(
            "network", .value(placeholder: "HOST", .text),
            "Let it reach this host too; `*` for all", repeats: true),
          OptionSpec(
            "read", .value(placeholder: "PATH", .text), "Let it read this path too", repeats: true
          ).completing(.files),
          OptionSpec(
            "write", .value(placeholder: "PATH", .text), "Let it write this path too",
            repeats: true
          ).completing(.files),
          OptionSpec("yes", .flag(isNegatable: false), "Do not ask for confirmation"), .trust,
          .json,
        ],
        notes: [
          HelpNote(
            "When a server changes",
            "Its approval covers the declaration, and the names, descriptions and schemas of its tools. When one of "
              + "them changes, the server is not used until you approve it again; the difference is shown."
          )
        ]),
    ])
}

extension OptionSpec {
  fileprivate static let ofPersona = OptionSpec(
    "persona", short: "p", .value(placeholder: "NAME", .text), "Include this persona's own tools",
    discovery: "rasa personas list"
  ).completing(.personas)
}

extension ArgumentSpec {
  fileprivate static func tool(
    _ name: String, _ help: String, isOptional: Bool = false, repeats: Bool = false
  ) -> ArgumentSpec {
    ArgumentSpec(name, help, isOptional: isOptional, repeats: repeats, completes: .tools)
  }
}
