import Glibc
import Testing

extension Integration {
    /// Profiles for one kind of program each, with that program.
    @Suite("Profiles of programs") struct ProgramProfileTests {
        @Test("untrusted: a program computes, and gets at nothing", arguments: Caller.all)
        func untrusted(caller: Caller) throws {
            let it = try ProfileBox(caller)
            expectOutput(
                try it.run(
                    "untrusted", [], ["python3", "-c", "print(sum(range(10))); open('/tmp/x', 'w').write('y')"]), "45")
            try it.expectOutOfReach("untrusted", "cat ~/notes")
            try it.expectOutOfReach("untrusted", "echo x > \"$0/outside/x\" && echo wrote", without: "wrote")
            let socket = "python3 -c 'import socket; socket.socket(); print(\"opened\")'"
            try it.expectOutOfReach("untrusted", socket, without: "opened")
            let filter = ["--set", "security.seccomp.rules=[]"]
            expectOutput(try it.shell("untrusted", socket, options: filter), "opened")
            try it.expectOutOfReach("untrusted", "unshare -Ur echo nested", without: "nested")
            expectOutput(try it.shell("untrusted", "ulimit -n; ulimit -c"), "1024\n0")
        }

        @Test(
            "build: make and gcc work in the directory, and what the makefile tries beside fails",
            .needsProgram("make"), arguments: Caller.all)
        func build(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let url = try it.hostServer()
            try it.write("project/answer.c", "#include <stdio.h>\nint main(void) { puts(\"42\"); return 0; }\n")
            try it.write(
                "project/Makefile",
                """
                all: answer theft
                answer: answer.c
                \t$(CC) -O1 -o answer answer.c
                theft:
                \t-cat $(HOME)/.ssh/id $(HOME)/notes > loot
                \t-curl -sS --max-time 10 \(url) >> loot
                \t-echo "$$PROFILE_TEST_TOKEN" >> loot
                \t-echo x > ../outside/trace
                .PHONY: all theft

                """)
            let boxed = try it.run("build", [], ["make", "CC=cc"])
            #expect(boxed.succeeded, "\(boxed)")
            #expect(try it.box.run([it.place + "/project/answer"]).text == "42")
            #expect(it.read("project/loot") == "\n" && !Files.exists(it.place + "/outside/trace"))
            let free = try it.run(nil, [], ["make", "CC=cc"])
            let loot = it.read("project/loot") ?? ""
            #expect(
                free.succeeded && loot.split(separator: ProfileBox.secret.last ?? " ").count >= 4, "\(free) \(loot)")
            #expect(Files.exists(it.place + "/outside/trace"))
        }

        @Test("build: the home itself, or what holds it, is no directory to give away", arguments: Caller.all)
        func buildAtHome(caller: Caller) throws {
            let it = try ProfileBox(caller)
            for directory in [it.place + "/home", it.place] {
                let outcome = try it.box.sandbox(
                    ["run", "-p", "build", "--", "true"], environment: it.environment, directory: directory)
                expectRefused(outcome, naming: "filesystem.bind", "$PWD", "build.toml")
            }
        }

        @Test("python: reads its directory, and nothing else", arguments: Caller.all)
        func python(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.write("project/helper.py", "def double(n): return 2 * n\n")
            try it.write("project/main.py", "import helper, json, sqlite3, sys\nprint(json.dumps(helper.double(21)))\n")
            expectOutput(try it.run("python", [], ["python3", "main.py"]), "42")
            #expect(!Files.exists(it.place + "/project/__pycache__"))
            try it.expectOutOfReach("python", "python3 -c 'print(open(\"'$0'/home/notes\").read())'")
            try it.expectOutOfReach("python", "python3 -c 'open(\"x\", \"w\"); print(\"wrote\")'", without: "wrote")
            let url = try it.hostServer()
            let fetch = "python3 -c 'import urllib.request; print(urllib.request.urlopen(\"\(url)\").read())'"
            try it.expectOutOfReach("python", fetch)
        }

        @Test("node: reads its directory, and nothing else", .needsProgram("node"), arguments: Caller.all)
        func node(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.write("project/helper.js", "exports.double = n => 2 * n\n")
            try it.write("project/main.js", "console.log(require('./helper').double(21))\n")
            expectOutput(try it.run("node", [], ["node", "main.js"]), "42")
            try it.expectOutOfReach("node", "node -e 'console.log(fs.readFileSync(\"'$0'/home/notes\", \"utf8\"))'")
            try it.expectOutOfReach(
                "node", "node -e 'fs.writeFileSync(\"x\", \"\"); console.log(\"wrote\")'", without: "wrote")
            let url = try it.hostServer()
            let program = "http.get(\"\(url)\", answer => answer.pipe(process.stdout)).on(\"error\", () => 0)"
            let fetch = "node -e '\(program)'"
            try it.expectOutOfReach("node", fetch)
        }

        @Test(
            "media: converts an image, and cannot read another directory's", .needsProgram("convert"),
            arguments: Caller.all)
        func media(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let picture = "P3 2 1 255 255 0 0 0 0 255\n"
            try it.write("project/in.ppm", picture)
            try it.write("home/private.ppm", picture)
            try it.makeDirectory("project/out")
            let converted = try it.run("media", [], ["convert", "in.ppm", "-resize", "200%", "out/big.png"])
            let image = it.read("project/out/big.png") ?? ""
            #expect(converted.succeeded && image.utf8.count > 50, "\(converted)")
            try it.expectOutOfReach(
                "media", "convert \"$0/home/private.ppm\" -format 'read %w' info:-", without: "read 2")
            try it.expectOutOfReach("media", "convert in.ppm other.png && echo wrote", without: "wrote")
        }

        @Test("media: ffmpeg follows no playlist out of the directory", .needsProgram("ffmpeg"), arguments: Caller.all)
        func video(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.makeDirectory("project/out")
            let make = [
                "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=64x48:r=5", "-c:v", "mpeg4", "out/a.avi",
            ]
            let made = try it.run("media", [], make)
            #expect(made.succeeded && Files.exists(it.place + "/project/out/a.avi"), "\(made)")
            try it.box.must(["mv", it.place + "/project/out/a.avi", it.place + "/home/a.avi"])
            try it.write("project/list", "file '\(it.place)/home/a.avi'\n")
            try it.expectOutOfReach(
                "media", "ffmpeg -v error -f concat -safe 0 -i list -f null - && echo played", without: "played")
        }

        @Test(
            "pdf: reads a document, and cannot read another directory's", .needsProgram("pdftotext"),
            arguments: Caller.all)
        func pdf(caller: Caller) throws {
            let it = try ProfileBox(caller)
            try it.write("project/in.pdf", Document.pdf("Hello from inside"))
            try it.write("home/private.pdf", Document.pdf(ProfileBox.secret))
            try it.makeDirectory("project/out")
            #expect(try it.run("pdf", [], ["pdftotext", "in.pdf", "-"]).out.contains("Hello from inside"))
            let drawn = try it.run("pdf", [], ["pdftoppm", "-r", "20", "-png", "in.pdf", "out/page"])
            #expect(drawn.succeeded && Files.exists(it.place + "/project/out/page-1.png"), "\(drawn)")
            try it.expectOutOfReach("pdf", "pdftotext \"$0/home/private.pdf\" -")
            try it.expectOutOfReach("pdf", "pdftotext in.pdf other.txt && echo wrote", without: "wrote")
        }

        @Test("download: fetches into the directory, and sees no home", .needsProgram("curl"), arguments: Caller.all)
        func download(caller: Caller) throws {
            let it = try ProfileBox(caller)
            let url = try it.hostServer()
            let fetched = try it.run("download", [], ["curl", "-sS", "--max-time", "10", "-o", "page", url])
            #expect(fetched.succeeded && it.read("project/page") == ProfileBox.secret, "\(fetched)")
            try it.expectOutOfReach("download", "cat ~/notes")
            try it.expectOutOfReach(
                "download", "curl -sS --max-time 10 -o \"$0/outside/page\" \(url) && echo wrote", without: "wrote")
        }
    }
}

enum Document {
    /// A PDF file of one page with one line of text (ISO 32000-1, 7.5).
    static func pdf(_ text: String) -> String {
        let stream = "BT /F1 24 Tf 20 100 Td (\(text)) Tj ET"
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R "
                + "/Resources << /Font << /F1 5 0 R >> >> >>",
            "<< /Length \(stream.utf8.count) >>\nstream\n\(stream)\nendstream",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        var file = "%PDF-1.4\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(file.utf8.count)
            file += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let table = file.utf8.count
        file += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets { file += String(repeating: "0", count: 10 - "\(offset)".count) + "\(offset) 00000 n \n" }
        return file + "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(table)\n%%EOF\n"
    }
}
