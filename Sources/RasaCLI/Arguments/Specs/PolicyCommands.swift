/// What the rules say about tools.
extension CommandSpec {
  static let toolsPolicy = CommandSpec(
    "policy", "Show the rules about tools, or what they say about one use",
    examples: [
      Example("All rules, in the order in which they are tried", "rasa tools policy"),
      Example("What is decided about a tool", "rasa tools policy mcp:git/git_push"),
      Example(
        "About a use with arguments",
        "rasa tools policy mcp:mail/send '{\"to\":\"bob@example.com\"}'"),
      Example("For a program", "rasa tools policy mcp:git/git_push --json"),
    ],
    arguments: [
      ArgumentSpec(
        "TOOL",
        "The tool, as rules name it, then its arguments as a JSON object; without it, the rules are listed",
        isOptional: true, repeats: true)
    ],
    options: [
      OptionSpec(
        "persona", short: "p", .value(placeholder: "NAME", .text), "Count this persona's rules, too"
      ).completing(.personas),
      .json,
    ],
    notes: [
      HelpNote(
        "Order",
        "Your policy.yaml, then `policy:` in your config.yaml: the first rule that is about the use decides. A "
          + "project's and a persona's rules can make it stricter. Without a rule, what reads only is allowed, and "
          + "everything else asks.")
    ])
}
