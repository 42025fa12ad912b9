import ArgumentParser
import Launch
import SandboxKit
import Switching

/// `sandbox switch graph`: switches, their ports and sandboxes as a picture.
struct SwitchGraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw switches, their ports and the sandboxes behind them.",
        discussion: """
            Without an option the picture is drawn in the terminal. --svg writes an image that any browser shows, --dot \
            a description for Graphviz, --mermaid one for documents that hold Mermaid. A sandbox with ports on several \
            of the switches joins them.
            """)

    @Flag(help: "What to write.")
    var form = Form.text
    @Argument(
        help: ArgumentHelp("Switches; all of them when absent.", valueName: "name"), completion: .kind(.switches))
    var names: [String] = []

    enum Form: String, EnumerableFlag {
        case text, svg, dot, mermaid

        static func help(for value: Form) -> ArgumentHelp? {
            switch value {
            case .text: "A picture in the terminal; when nothing else is asked for."
            case .svg: "An image, SVG."
            case .dot: "Graphviz's language."
            case .mermaid: "Mermaid's language."
            }
        }
    }

    func run() throws {
        let (store, registry) = (try SwitchStore.ofCaller(), try Registry.ofCaller())
        let all = try switched { () throws(SwitchError) in try store.names() }
        var views: [SwitchView] = []
        for name in names.isEmpty ? all : names { views.append(try store.view(name, registry)) }
        switch form {
        case .text:
            let (width, style) = (terminalWidth(), Style.output)
            let pictures = views.map { SwitchPicture($0).text(width: width, style: style) }
            try Output.write(pictures.isEmpty ? "no switches\n" : pictures.joined(separator: "\n"))
        case .svg: try Output.write(SwitchImage(views).svg)
        case .dot: try Output.write(SwitchGraph(views).dot)
        case .mermaid: try Output.write(SwitchGraph(views).mermaid)
        }
    }
}
