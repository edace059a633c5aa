/// Making rasa reachable for other programs.
extension CommandSpec {
  static let serve = CommandSpec(
    "serve", "Serve personas, agents and models over HTTP", heading: "Serve",
    examples: [
      Example("On this machine, at port 8000", "rasa serve"),
      Example("At another port", "rasa serve --listen 127.0.0.1:9000"),
      Example(
        "For other machines, with a certificate",
        "rasa serve --listen 0.0.0.0:8443 --host rasa.example --tls-cert cert.pem --tls-key key.pem"
      ),
    ],
    options: [
      OptionSpec(
        "listen", .value(placeholder: "ADDRESS:PORT", .text),
        "Where to listen; port 0 takes a free one", defaultsTo: .value("127.0.0.1:8000")),
      OptionSpec(
        "host", .value(placeholder: "NAME", .text),
        "A name that clients call it by, beside those of this machine", repeats: true),
      OptionSpec(
        "origin", .value(placeholder: "URL", .text),
        "The origin of a page elsewhere that may use it, such as https://chat.example",
        repeats: true),
      OptionSpec(
        "tls-cert", .value(placeholder: "FILE", .text), "The certificate, in PEM"
      ).completing(.files),
      OptionSpec("tls-key", .value(placeholder: "FILE", .text), "Its key, in PEM")
        .completing(.files),
      OptionSpec(
        "ollama-open", .flag(isNegatable: false),
        "Let front ends without a token use the routes of Ollama, on this machine only"),
      OptionSpec(
        "ollama-daily", .value(placeholder: "USD", .money),
        "The most that these front ends may spend in a day", defaultsTo: .value("1.00")),
      OptionSpec(
        "concurrency", .value(placeholder: "N", .integer(1...100_000)),
        "Work on so many runs and calls at once; others wait", defaultsTo: .value("1000")),
      OptionSpec(
        "grace", .value(placeholder: "SECONDS", .integer(0...3_600)),
        "How long a stop waits for runs before it parks them", defaultsTo: .value("10")),
      .json,
    ],
    notes: [
      HelpNote(
        "Token",
        "Clients send the token that the file `server.token` in the data folder holds, or `RASA_TOKEN` "
          + "if it is set. `rasa tokens create` makes further ones that may do less."),
      HelpNote(
        "Stopping",
        "Ctrl-C or SIGTERM takes no new runs, waits for those that are under way, and parks the rest; "
          + "the next start resumes them. A second signal exits at once."),
    ])

  static let tokens = CommandSpec(
    "tokens", "Manage the tokens of the server", heading: "Serve",
    examples: [
      Example("Who may use it", "rasa tokens list"),
      Example(
        "A token for a front end that may spend a dollar on a run",
        "rasa tokens create webui --scope run,read --max-cost 1"),
      Example("Take one back", "rasa tokens revoke phone"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List tokens and what they allow",
        examples: [Example("All of them", "rasa tokens list")], options: [.json]),
      CommandSpec(
        "create", "Make a token, and print it once",
        examples: [
          Example("One that may only look", "rasa tokens create dashboard --scope read"),
          Example(
            "One for two models and ten requests a minute",
            "rasa tokens create aider --models \"openai:gpt-4o*,rasa/coder\" --per-minute 10"),
        ],
        arguments: [ArgumentSpec("NAME", "What the books and the audit log call it")],
        options: [
          OptionSpec(
            "scope", .value(placeholder: "SCOPE,…", .choices(["run", "approve", "read", "admin"])),
            "What it may do", defaultsTo: .value("run,read")),
          OptionSpec(
            "models", .value(placeholder: "PATTERN,…", .text),
            "The models, personas and agents that it may ask; `*` stands for any text",
            defaultsTo: .described("all")),
          OptionSpec(
            "user", .value(placeholder: "NAME", .text),
            "Whose conversations and memories it uses and sees; of others it sees nothing",
            defaultsTo: .described("yours, and it sees all")),
          OptionSpec(
            "max-cost", .value(placeholder: "USD", .money), "The most that one run or call may cost"
          ),
          OptionSpec(
            "daily", .value(placeholder: "USD", .money), "The most that all of it may cost in a day"
          ),
          OptionSpec(
            "monthly", .value(placeholder: "USD", .money),
            "The most that all of it may cost in a month"),
          OptionSpec(
            "per-minute", .value(placeholder: "N", .integer(1...1_000_000)),
            "The most runs and calls in a minute"),
          OptionSpec(
            "at-once", .value(placeholder: "N", .integer(1...100_000)),
            "The most runs and calls at the same time; others wait"),
          .json,
        ]),
      CommandSpec(
        "revoke", "Take a token back",
        examples: [Example("At once, also on a server that runs", "rasa tokens revoke laptop")],
        arguments: [ArgumentSpec("NAME", "The token's name")], options: [.json]),
    ])
}
