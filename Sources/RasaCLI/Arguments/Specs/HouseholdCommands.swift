/// Setting up, looking after and measuring the program itself.
extension CommandSpec {
  static let initialize = CommandSpec(
    "init", "Write a starter persona and operator to change", heading: "Set up",
    examples: [
      Example("Begin a persona in this folder", "rasa init --name my_analyst"),
      Example("Begin one that works in every folder", "rasa init --name my_analyst --user-wide"),
    ],
    options: [
      OptionSpec(
        "name", .value(placeholder: "NAME", .text), "The persona's name",
        defaultsTo: .value("my_persona")),
      OptionSpec(
        "user-wide", .flag(isNegatable: false), "Write to your own folder, not to this one"),
      OptionSpec("force", .flag(isNegatable: false), "Replace files that exist"),
    ])

  static let trust = CommandSpec(
    "trust", "Say which folders may change what rasa does", heading: "Set up",
    examples: [
      Example("See the folders that you trust", "rasa trust list"),
      Example("Trust this one as it is now", "rasa trust add"),
    ],
    notes: [
      HelpNote(
        "What is asked",
        "A folder whose files take the place of your own or of shipped ones, or whose "
          + ".rasa/config.yaml says who is asked, is used only after you have agreed: at a terminal "
          + "you are asked, elsewhere the command ends with code 3. A file that changes is asked "
          + "about again.")
    ],
    subcommands: [
      CommandSpec(
        "list", "List the folders that you trust",
        examples: [Example("All of them", "rasa trust list")], options: [.json]),
      CommandSpec(
        "add", "Trust a folder's files as they are now",
        examples: [Example("Trust a project that you have looked at", "rasa trust add ~/src/app")],
        arguments: [
          ArgumentSpec(
            "DIR", "The project's folder; the one you are in when left out", isOptional: true)
        ], options: [.json]),
      CommandSpec(
        "remove", "Trust a folder no longer",
        examples: [Example("Be asked again", "rasa trust remove ~/src/app")],
        arguments: [
          ArgumentSpec(
            "DIR", "The project's folder; the one you are in when left out", isOptional: true)
        ], options: [.json]),
    ])

  static let doctor = CommandSpec(
    "doctor", "Check what rasa needs: models, files, terminal", heading: "Set up",
    examples: [
      Example("What works, and what to do about the rest", "rasa doctor"),
      Example("The same for a program", "rasa doctor --json"),
    ],
    options: [.json])

  static let bench = CommandSpec(
    "bench", "Measure how much time a persona takes", heading: "Look and check",
    examples: [
      Example(
        "What the runtime alone costs, 1000 times",
        "rasa bench graph --persona strategic_stock_analyst --runs 1000"),
      Example(
        "Whole runs with a model",
        "rasa bench run -p strategic_stock_analyst -i \"Buy or sell Nvidia?\" --model mock"),
    ],
    subcommands: [
      CommandSpec(
        "graph", "Time the way through the graph; no model is asked",
        examples: [
          Example(
            "What the runtime alone costs, 1000 times",
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
    "completions", "Print completions for your shell", heading: "Set up",
    examples: [
      Example(
        "bash, for you alone",
        "rasa completions bash > ~/.local/share/bash-completion/completions/rasa"),
      Example("zsh, in a folder of $fpath", "rasa completions zsh > ~/.zfunc/_rasa"),
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
        "COMMAND", "The command's name; all when left out", isOptional: true, repeats: true)
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
