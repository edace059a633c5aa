import RasaCore
package import RasaModels
package import RasaSystem

extension Catalogue {
  /// What ships, under the user's own files of `models/`, which are read when something is asked for.
  package static func ofUser(_ folders: RasaFolders) -> Catalogue {
    let folder = "\(folders.configuration)/models"
    let root = FileRoot(folder, links: .anywhere)
    return Catalogue { () throws(Failure) in
      var documents: [CatalogueDocument] = []
      for entry in try FileSystem.list(folder)
      where entry.kind != .folder && entry.name.hasSuffix(".json") && !entry.name.hasPrefix(".") {
        let bytes = try root.read(entry.name, limit: CatalogueDocument.largest)
        documents.append(CatalogueDocument(file: "\(folder)/\(entry.name)", bytes: bytes))
      }
      return documents + [Self.shippedDocument]
    }
  }

  /// What ships alone.
  package static func shipped() -> Catalogue {
    Catalogue { () throws(Failure) in [shippedDocument] }
  }

  private static var shippedDocument: CatalogueDocument {
    let name = "models/catalogue.json"
    return CatalogueDocument(
      file: "shipped:\(name)", bytes: EmbeddedFiles.bytes(of: name) ?? [], isShipped: true)
  }
}
