import CYAML

/// The version of libyaml that documents are read with.
package func yamlVersion() -> String { unsafe String(cString: yaml_get_version_string()) }
