import RasaCore
import RasaDocuments
import RasaModels
import RasaSystem

extension Catalogue {
  /// What ships, under the user's own files of `models/`, which are read when something is asked for.
  static func ofUser(_ folders: RasaFolders) -> Catalogue {
    let folder = "\(folders.configuration)/models"
    return Catalogue { () throws(Failure) in
      var documents: [CatalogueDocument] = []
      for entry in try FileSystem.list(folder)
      where entry.kind != .folder && entry.name.hasSuffix(".json") && !entry.name.hasPrefix(".") {
        let path = "\(folder)/\(entry.name)"
        let bytes = try FileSystem.read(path, limit: CatalogueDocument.largest)
        documents.append(CatalogueDocument(file: path, bytes: bytes))
      }
      let shipped = "models/catalogue.json"
      documents.append(
        CatalogueDocument(
          file: "shipped:\(shipped)", bytes: EmbeddedFiles.bytes(of: shipped) ?? [],
          isShipped: true))
      return documents
    }
  }
}
