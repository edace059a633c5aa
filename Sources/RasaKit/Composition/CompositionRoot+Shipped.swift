import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem

extension CompositionRoot {
  /// A persona that rasa itself runs, and that is in no folder, made ready to run.
  func graph(ofShipped name: String, text: String) throws(Failure) -> Graph {
    let document = SourceDocument(bytes: Array(text.utf8), path: "shipped:\(name)")
    let library = library
    let persona = try library.readPersona(
      document, beside: FolderSource(FileRoot(folders.configuration))
    ).get()
    var graph = try Graph.compile(persona) { name throws(Failure) in
      try library.operatorDefinition(named: name)
    }
    let recorder = FileRecorder()
    recorder.note(.persona, name, document)
    graph.pinned = recorder.files(of: [name]).value
    return graph
  }
}
