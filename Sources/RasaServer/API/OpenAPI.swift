import RasaCore
import RasaKit

/// The table of routes as a program reads it.
enum OpenAPI {
  static func document(_ routes: [Route]) -> Value {
    var paths = ValueObject()
    for route in routes {
      var path = paths[route.openPath]?.object ?? ValueObject()
      path[route.method.lowercased()] = operation(route)
      paths[route.openPath] = .object(path)
    }
    return [
      "openapi": "3.1.0",
      "info": ["title": "rasa", "version": .string(Rasa.version)],
      "paths": .object(paths),
      "components": [
        "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
        "schemas": ["Error": errorSchema],
      ],
    ]
  }

  private static let errorSchema: Value = [
    "type": "object", "required": ["error"],
    "properties": [
      "error": [
        "type": "object", "required": ["code", "message", "suggestion"],
        "properties": [
          "code": ["type": "string"], "message": ["type": "string"],
          "suggestion": ["type": "string"], "reason": ["type": "string"],
          "run": ["type": "string"],
        ],
      ]
    ],
  ]

  private static func operation(_ route: Route) -> Value {
    var operation: ValueObject = ["summary": .string(route.about.summary)]
    var parameters: [Value] = []
    for segment in route.segments {
      guard case .parameter(let name) = segment else {
        if case .rest(let name) = segment {
          parameters.append(parameter(name, in: "path", about: "", ["type": "string"]))
        }
        continue
      }
      parameters.append(parameter(name, in: "path", about: "", ["type": "string"]))
    }
    for one in route.about.query {
      parameters.append(parameter(one.name, in: "query", about: one.about, one.schema))
    }
    if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
    if let body = route.about.body {
      operation["requestBody"] = ["content": ["application/json": ["schema": body]]]
    }
    var content = ValueObject()
    for type in route.about.types { content[type] = .emptyObject }
    operation["responses"] = [
      "2XX": ["description": "It was done.", "content": .object(content)],
      "default": [
        "description": "It was not.",
        "content": ["application/json": ["schema": errorReference(route.errors)]],
      ],
    ]
    switch route.need {
    case .nobody: operation["security"] = .array([])
    case .token, .scope, .ollama: operation["security"] = [["token": []]]
    }
    if case .scope(let scope) = route.need { operation["x-rasa-scope"] = .string(scope.rawValue) }
    return .object(operation)
  }

  /// Routes in the words of another protocol have its errors.
  private static func errorReference(_ form: ErrorForm) -> Value {
    form == .rasa ? ["$ref": "#/components/schemas/Error"] : ["type": "object"]
  }

  private static func parameter(
    _ name: String, in place: String, about: String, _ schema: Value
  ) -> Value {
    var parameter: ValueObject = ["name": .string(name), "in": .string(place), "schema": schema]
    if place == "path" { parameter["required"] = true }
    if !about.isEmpty { parameter["description"] = .string(about) }
    return .object(parameter)
  }
}

extension Route {
  /// OpenAPI knows no rest of a path, so it is one parameter there.
  fileprivate var openPath: String {
    "/"
      + segments.map { segment in
        switch segment {
        case .word(let word): word
        case .parameter(let name), .rest(let name): "{\(name)}"
        }
      }.joined(separator: "/")
  }
}
