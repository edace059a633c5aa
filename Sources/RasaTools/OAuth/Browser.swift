import RasaCore
import RasaHTTPClient
import RasaProcess
package import RasaSystem

extension OAuthInteraction {
  /// The user's browser, if there is a screen to show one on. The address is shown in any case.
  package static func browser(
    _ environment: Environment, say: @escaping @Sendable (String) async -> Void
  ) -> OAuthInteraction {
    OAuthInteraction(say: say) { url in
      guard
        environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil
          || environment["BROWSER"] != nil,
        let command = Browser.command(url, environment),
        let child = try? ChildProcess.start(command)
      else { return }
      _ = await child.wait()
    }
  }
}

enum Browser {
  /// Nil where there is nothing to open a page with.
  ///
  /// The browser is not rasa's child, as it is to stay when the login is over, and it gets none of its keys. The shell
  /// sees the address as an argument only.
  static func command(_ url: String, _ environment: Environment) -> ChildCommand? {
    guard URLParts(url) != nil,
      (try? ProgramLookup.find("xdg-open", path: environment["PATH"])) != nil
    else {
      return nil
    }
    return ChildCommand(
      [
        "setsid", "--fork", "sh", "-c", "exec xdg-open \"$1\" </dev/null >/dev/null 2>&1", "sh",
        url,
      ],
      environment: environment.allowing([
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "DISPLAY", "WAYLAND_DISPLAY",
        "XAUTHORITY", "XDG_*",
        "DBUS_SESSION_BUS_ADDRESS", "BROWSER", "DESKTOP_SESSION", "GNOME_*", "KDE_*",
      ]).variables)
  }
}
