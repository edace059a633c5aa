/// Setting up, looking after and measuring the program itself.
extension CommandSpec {
  static let initialize = CommandSpec(
    "init", "Create a starter persona and operator", heading: "Set up",
    examples: [
      Example("Create a persona in this folder", "rasa init --name my_helper"),
      Example("Create one that works in every folder", "rasa init --name my_helper --user-wide"),
    ],
    options: [
      OptionSpec(
        "name", .value(placeholder: "NAME", .text), "The persona's name",
        defaultsTo: .value("my_persona")),
      OptionSpec(
        "user-wide", .flag(isNegatable: false),
        "Write to your configuration folder instead of this one"),
      OptionSpec("force", .flag(isNegatable: false), "Overwrite existing files"),
    ])

  static let trust = CommandSpec(
    "trust", "Manage the folders whose files rasa may use", heading: "Set up",
    examples: [
      Example("List the trusted folders", "rasa trust list"),
      Example("Trust this folder as it is now", "rasa trust add"),
    ],
    notes: [
      HelpNote(
        "When rasa asks",
        "Before it uses a folder whose files replace your own or shipped ones, or whose "
          + ".rasa/config.yaml chooses the provider or model. It asks at a terminal; elsewhere the "
          + "command fails with code 3. When such a file changes, it asks again.")
    ],
    subcommands: [
      CommandSpec(
        "list", "List the trusted folders",
        examples: [Example("All of them", "rasa trust list")], options: [.json]),
      CommandSpec(
        "add", "Trust a folder's files as they are now",
        examples: [Example("Trust a project that you have reviewed", "rasa trust add ~/src/app")],
        arguments: [
          ArgumentSpec(
            "DIR", "The project's folder; the current one by default", isOptional: true,
            completes: .folders)
        ], options: [.json]),
      CommandSpec(
        "remove", "Stop trusting a folder",
        examples: [Example("Ask again about a folder", "rasa trust remove ~/src/app")],
        arguments: [
          ArgumentSpec(
            "DIR", "The project's folder; the current one by default", isOptional: true,
            completes: .folders)
        ], options: [.json]),
    ])

  static let doctor = CommandSpec(
    "doctor", "Check models, files and terminal, and say what to fix", heading: "Set up",
    examples: [
      Example("What works, and how to fix the rest", "rasa doctor"),
      Example("For a program", "rasa doctor --json"),
    ],
    options: [.json])

  static let bench = CommandSpec(
    "bench", "Measure how long a persona takes", heading: "Inspect",
    examples: [
      Example(
        "The runtime alone, 1000 times",
        "rasa bench graph --persona strategic_stock_analyst --runs 1000"),
      Example(
        "Whole runs with a model",
        "rasa bench run -p strategic_stock_analyst -i \"Buy or sell Nvidia?\" --model mock"),
    ],
    subcommands: [
      CommandSpec(
        "graph", "Time the graph alone; no model is called",
        examples: [
          Example(
            "The runtime alone, 1000 times",
            "rasa bench graph --persona strategic_stock_analyst --runs 1000")
        ],
        options: .measuring),
      CommandSpec(
        "run", "Time whole runs, models included",
        examples: [
          Example(
            "Ten runs with the mock model, every step kept on disk",
            "rasa bench run -p strategic_stock_analyst --model mock --runs 10 --journal full")
        ],
        options: .measuring + [.model]),
    ])

  static let completions = CommandSpec(
    "completions", "Print a completion script for your shell", heading: "Set up",
    examples: [
      Example(
        "bash, for your user",
        "rasa completions bash > ~/.local/share/bash-completion/completions/rasa"),
      Example("zsh, in a folder in $fpath", "rasa completions zsh > ~/.zfunc/_rasa"),
      Example("fish", "rasa completions fish > ~/.config/fish/completions/rasa.fish"),
    ],
    arguments: [
      ArgumentSpec("SHELL", "bash, zsh or fish", choices: CompletionScript.Shell.allNames)
    ])

  static let version = CommandSpec(
    "version", "Print the version", heading: "Set up",
    examples: [
      Example("Print it", "rasa version"), Example("For a program", "rasa version --json"),
    ],
    options: [.json])

  static let help = CommandSpec(
    "help", "Show help about a command", heading: "Set up",
    examples: [
      Example("All commands", "rasa help"),
      Example("One command", "rasa help personas show"),
    ],
    arguments: [
      ArgumentSpec(
        "COMMAND", "The command's name; all commands by default", isOptional: true, repeats: true)
    ])
}

extension [OptionSpec] {
  fileprivate static let measuring = [
    OptionSpec.persona.saying("The persona to measure"),
    OptionSpec(
      "input", short: "i", .value(placeholder: "TEXT", .text), "The question",
      defaultsTo: .described("the persona's first example")),
    OptionSpec(
      "runs", .value(placeholder: "N", .integer(1...1_000_000)), "How many times",
      defaultsTo: .value("20")),
    OptionSpec(
      "parallel", .value(placeholder: "N", .integer(1...10_000)), "How many at the same time",
      defaultsTo: .value("1")),
    OptionSpec(
      "journal", .value(placeholder: "WHERE", .choice(["none", "memory", "full"])),
      "Where the steps of a run are kept", defaultsTo: .value("memory")),
    .json,
  ]
}
