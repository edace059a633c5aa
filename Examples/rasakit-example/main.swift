// Agents in a Swift program: found, added, recommended and run.
//
//   swift run rasakit-example "Design a REST API for a library"
//
// Without a key for any provider the mock answers, and says so.
import RasaKit

let task = CommandLine.arguments.dropFirst().first ?? "Write release notes for our new version"
// A home of its own, so that the example leaves nothing behind in the user's.
let rasa = try Rasa(.forCurrentUser(home: ".build/rasakit-example-home"))

// What ships, and what lies in ./agents: broken files are told, and the rest is found.
let found = await rasa.discover()
print("\(found.agents.count) agents, \(found.problems.count) broken files")

// An agent of the program's own, checked as a file would be.
var writer = Rasa.Agent(
  id: "release-notes-writer", name: "Release Notes Writer",
  description: "Writes release notes and change logs that users like to read.",
  prompt: """
    You write release notes in {{language}}. Say what changed for the user, most important first.
    """)
writer.capabilities = ["release_notes", "changelog", "technical_writing"]
writer.defaults = ["language": "English"]
writer.maxCost = 0.05
try await rasa.register(writer, replacing: true)

// Who is found for a word with a typing error in it, and who fits the task.
let writers = await rasa.agents(Rasa.Filter(search: "relaese", mode: .fuzzy), sortedBy: [.category])
print("like `relaese`: \(writers.prefix(3).map(\.id).joined(separator: ", "))")
let recommended = try await rasa.recommend(task, limit: 3)
for candidate in recommended {
  let reason = candidate.capability.reason
  print("\(candidate.agent.id): \(Int(candidate.score)), \(candidate.verdict): \(reason)")
}

// A run with a ceiling: the money is reserved before anything is sent.
var options = Rasa.RunOptions()
options.maxCost = 0.10
options.preferences = ["language": "plain English"]
let agent = recommended.first?.agent.id ?? writer.id
let run = try await rasa.run(agent: agent, input: task, options: options) { approval in
  print("\n[\(approval.step.name) asks: \(approval.title) — approved by this program]")
  return .approve
}
for try await event in run {
  switch event {
  case .modelChosen(let step, let provider, let model):
    print("[\(step.name): \(provider):\(model)]")
  case .output(let text): print(text, terminator: "")
  default: break
  }
}
let result = try await run.result()
print("\n[\(result.calls) calls, \(result.cost)\(result.usedMock ? ", answered by the mock" : "")]")
await rasa.close()
