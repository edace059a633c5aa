import RasaCore

extension ModelReference {
  /// Reads `engine:model`, or a model alone. A model's own name may contain a colon (`llama3:8b`),
  /// so only a known engine is split off.
  package init(_ text: String, engines: Set<String>) {
    if let colon = text.firstIndex(ofByte: ":") {
      let engine = text[..<colon].lowercased()
      if engines.contains(engine) {
        self.init(engine: engine, model: String(text[text.index(after: colon)...]))
        return
      }
    }
    self.init(model: text)
  }

  /// A model without an engine belongs to the given one.
  package func on(_ engine: String?) -> ModelReference {
    ModelReference(engine: self.engine ?? engine, model: model)
  }
}
