import RasaCore
import RasaDocuments
import Testing

@testable import RasaPersona

@Suite("`hooks:` in a file")
struct HookReadingTests {
  private func read(_ yaml: String) throws -> (hooks: [HookDefinition], failures: [Failure]) {
    let bytes = Array(yaml.utf8)
    let node = try YAML.parse(bytes, file: "p.yaml")
    var reader = DocumentReader(text: SourceText(SourceDocument(bytes: bytes, path: "p.yaml")))
    let hooks = reader.hooks(node["hooks"])
    return (hooks, reader.failures)
  }

  @Test("are programs and addresses with a point each")
  func all() throws {
    let (hooks, failures) = try read(
      """
      hooks:
        before_tool:
          - run: [./guard, --strict]
            tool: "mcp:git/*"
            operator: "*_agent"
            timeout: 2.5
            on_failure: pass
          - post: https://audit.example.com/hook
            headers: {Authorization: "Bearer ${AUDIT_TOKEN}"}
        run_end:
          - {run: notify, name: tell}
          - {post: "http://[::1]:8080/", name: here, allow_private: ["[::1]:8080"]}
      """)
    #expect(failures.isEmpty)
    #expect(hooks.map(\.name) == ["guard", "audit_example_com", "tell", "here"])
    #expect(hooks[0].action == .program(command: ["./guard", "--strict"]))
    #expect(hooks[0].toolPattern == "mcp:git/*" && hooks[0].operatorPattern == "*_agent")
    #expect(hooks[0].timeout == 2.5 && hooks[0].onFailure == .pass)
    #expect(hooks[1].timeout == 10 && hooks[1].onFailure == .refuse)
    #expect(hooks[2].point == .runEnd && hooks[2].onFailure == .pass)
    #expect(hooks[1].allowsPrivate.isEmpty && hooks[3].allowsPrivate == ["[::1]:8080"])
    #expect(hooks[0].applies(toOperator: "git_agent", tool: "mcp:git/git_log"))
    #expect(!hooks[0].applies(toOperator: "git_agent", tool: "mcp:time/now"))
  }

  @Test(
    "problems have a place and a suggestion",
    arguments: [
      ("hooks: {before_tols: {run: x}}", "did you mean `before_tool`?"),
      ("hooks: {run_end: {}}", "neither what to `run`"),
      ("hooks: {run_end: {run: a, post: 'https://a.b/'}}", "both given"),
      ("hooks: {run_end: {run: 'a b'}}", "no shell reads it"),
      ("hooks: {run_end: {post: 'http://example.com/'}}", "not an https address"),
      ("hooks: {run_end: {post: 'ftp://example.com/'}}", "not an address"),
      ("hooks: {run_end: {run: a, tool: b}}", "says nothing at `run_end`"),
      ("hooks: {run_end: {run: a, operator: b}}", "says nothing at `run_end`"),
      ("hooks: {run_end: {run: a, timeout: 0}}", "timeout"),
      ("hooks: {run_end: [{run: a}, {run: a}]}", "two hooks named `a`"),
      ("hooks: {run_end: {run: a, on_failure: ignore}}", "`refuse` or `pass`"),
      ("hooks: {run_end: {post: 'http://127.0.0.1:9/'}}", "add `allow_private: [\"127.0.0.1\"]`"),
      ("hooks: {run_end: {post: 'https://localhost/'}}", "where that is meant"),
      ("hooks: {run_end: {post: 'http://[::1]:9/', allow_private: [127.0.0.1]}}", "\"[::1]\""),
      ("hooks: {run_end: {run: a, allow_private: [b]}}", "`allow_private` belongs to `post`"),
      ("hooks: [a]", "must be a mapping"),
    ])
  func problems(_ yaml: String, _ words: String) throws {
    let (_, failures) = try read(yaml)
    #expect(
      failures.contains { $0.description.contains(words) && ($0.location?.line ?? 0) > 0 },
      "\(failures.map(\.description))")
  }
}
