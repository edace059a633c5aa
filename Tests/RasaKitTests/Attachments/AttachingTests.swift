import RasaKit
import RasaTestKit
import Testing

@Suite("Attachments from a program", .timeLimit(.minutes(1))) struct AttachingTests {
  @Test func areShownToTheModelAndDescribed() async throws {
    var script = Script()
    script.answer = .text("A place.")
    let kit = try Kit(provider: [script])
    try await kit.rasa.register(Kit.writer)
    let photo = try Rasa.Attachment(name: "photo.png", bytes: MadeUpFiles.png())
    #expect(photo.mediaType == "image/png" && photo.width == 640 && photo.height == 480)
    #expect(photo.sha256.count == 64 && photo.pageCount == nil)
    var options = Rasa.RunOptions()
    options.attachments = [photo]
    let result = try await kit.rasa.run(
      agent: "note-writer", input: "What is this?", options: options
    ).result()
    #expect(result.text == "A place.")
    #expect(kit.provider?.requests.first?.attachments.map(\.bytes) == [MadeUpFiles.png()])
    await kit.rasa.close()
  }

  @Test func areRefusedAsProblems() throws {
    let problem = #expect(throws: RasaError.self) {
      try Rasa.Attachment(path: "/nowhere/photo.png")
    }
    #expect(problem?.code == .usage && problem?.suggestion == "check the path")
  }
}
