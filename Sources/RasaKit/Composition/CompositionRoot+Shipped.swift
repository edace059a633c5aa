import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem

extension CompositionRoot {
  /// A persona that rasa itself runs, and that is in no folder, made ready to run.
  ///
  /// - Parameter change: what no file can say of it.
  func graph(
    ofShipped name: String, text: String,
    _ change: (inout PersonaDefinition) -> Void = { _ in }
  ) throws(Failure) -> Graph {
    let document = SourceDocument(bytes: Array(text.utf8), path: "shipped:\(name)")
    let library = library
    var persona = try library.readPersona(
      document, beside: FolderSource(FileRoot(folders.configuration))
    ).get()
    change(&persona)
    var graph = try Graph.compile(persona) { name throws(Failure) in
      try library.operatorDefinition(named: name)
    }
    graph.digest = Graph.ownDigest + graph.digest
    let recorder = FileRecorder()
    recorder.note(.persona, name, document)
    graph.pinned = recorder.files(of: [name]).value
    return graph
  }
}
