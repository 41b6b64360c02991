package rempart_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// may says who may import whom among our own packages, "." being the root and
// "*" any of them. A package that is not here may not exist: add it with its
// reason in DESIGN.md. Test files may import any package that is here.
var may = map[string]string{
	"":                         "pdq vpdq provenance",
	"pdq":                      "",
	"provenance":               "",
	"vpdq":                     "pdq",
	"near":                     "pdq internal/durable",
	"media":                    "pdq vpdq provenance",
	"law":                      ".",
	"ledger":                   "",
	"mail":                     ".",
	"idp":                      "",
	"recheck":                  ".",
	"keyring":                  "internal/durable",
	"store":                    ". ledger pdq keyring",
	"store/storetest":          ". store ledger keyring",
	"exchange":                 ". pdq",
	"flow":                     ". near pdq vpdq law store exchange mail media ledger provenance",
	"stats":                    ". law",
	"returns":                  ".",
	"web":                      ". law store flow exchange idp media near pdq ledger provenance stats returns",
	"cmd/rempart":              "*",
	"examples/forum":           "",
	"internal/browsertest":     "*",
	"internal/browsertest/axe": "",
	"internal/durable":         "",
	"internal/e2e":             "*",
	"internal/mailtest":        "",
	"internal/oidctest":        "",
	"internal/pgtest":          "",
}

// pure lists the packages that do no I/O and import nothing but the standard
// library and ours: the domain, and what others may want alone.
var pure = []string{"", "pdq", "vpdq", "provenance", "near"}

// files lists the pure packages that may use the file system all the same: near
// keeps its segments in files and maps them into memory. It opens no
// connection, starts no program and logs nothing.
var files = map[string][]string{"near": {"os", "syscall"}}

// outside lists what a pure package may not import.
var outside = []string{
	"database/sql", "io/ioutil", "log", "log/slog", "net", "net/http", "net/smtp",
	"os", "os/exec", "os/signal", "os/user", "syscall", "testing",
}

// source is a Go file: its folder below the module's root ("" is the root),
// whether it is a test, and what it imports.
type source struct {
	dir     string
	test    bool
	imports []string
}

func TestImports(t *testing.T) {
	all, err := sources(".")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(f source) bool { return f.dir == "" && !f.test }) {
		t.Fatalf("%d files read, none of them in the root package", len(all))
	}
	for _, p := range problems(all) {
		t.Error(p)
	}
}

// TestProblems checks that each rule can be broken, and only by breaking it.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name string
		file source
		want string // part of the one problem; "" is none
	}{
		{"allowed", source{"store", false, []string{"rempart", "rempart/ledger", "database/sql"}}, ""},
		{"against an arrow", source{"pdq", false, []string{"rempart/web"}}, "pdq may not import web"},
		{"against an arrow to the root", source{"near", false, []string{"rempart"}}, "near may not import . (the root)"},
		{"in a test", source{"pdq", true, []string{"rempart/web", "os", "github.com/google/go-cmp/cmp"}}, ""},
		{"anything of ours", source{"cmd/rempart", false, []string{"rempart/web", "rempart"}}, ""},
		{"package without a row", source{"utils", false, nil}, "package utils: add it with its reason in DESIGN.md"},
		{"test package without a row", source{"internal/mock", true, nil}, "package internal/mock: add it with its reason in DESIGN.md"},
		{"import without a row", source{"cmd/rempart", false, []string{"rempart/utils"}}, "imports rempart/utils: add it with its reason in DESIGN.md"},
		{"import without a row in a test", source{"web", true, []string{"rempart/utils"}}, "imports rempart/utils: add it with its reason in DESIGN.md"},
		{"input and output in the domain", source{"", false, []string{"os"}}, "(the root) does no I/O: it may not import os"},
		{"parsing is not I/O", source{"", false, []string{"net/url", "net/netip"}}, ""},
		{"files in near", source{"near", false, []string{"os", "syscall", "rempart/internal/durable"}}, ""},
		{"a connection in near", source{"near", false, []string{"net"}}, "near does no I/O: it may not import net"},
		{"a dependency in pdq", source{"pdq", false, []string{"golang.org/x/image/draw"}}, "pdq may import the standard library only, not golang.org/x/image/draw"},
		{"a dependency elsewhere", source{"media", false, []string{"golang.org/x/image/draw"}}, ""},
	} {
		got := problems([]source{c.file})
		if c.want == "" && len(got) != 0 {
			t.Errorf("%s: %q, want no problem", c.name, got)
		}
		if c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: %q, want one problem with %q", c.name, got, c.want)
		}
	}
}

// problems returns a sentence for each import that the tables above forbid.
func problems(files []source) []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	for _, f := range files {
		row, ok := may[f.dir]
		if !ok {
			say("package %s: add it with its reason in DESIGN.md, and to the table of imports_test.go", f.dir)
			continue
		}
		for _, p := range f.imports {
			dir, ours := strings.CutPrefix(p+"/", "rempart/")
			dir = strings.TrimSuffix(dir, "/")
			if !ours {
				if slices.Contains(pure, f.dir) && !f.test {
					out = append(out, impure(f.dir, p)...)
				}
				continue
			}
			if _, ok := may[dir]; !ok {
				say("%s imports %s: add it with its reason in DESIGN.md, and to the table of imports_test.go", name(f.dir), p)
				continue
			}
			word := dir
			if dir == "" {
				word = "."
			}
			if !f.test && row != "*" && !slices.Contains(strings.Fields(row), word) {
				say("%s may not import %s", name(f.dir), name(dir))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// impure says what is wrong with a pure package's import of p, not ours.
func impure(dir, p string) []string {
	if slices.Contains(outside, p) && !slices.Contains(files[dir], p) {
		return []string{fmt.Sprintf("%s does no I/O: it may not import %s", name(dir), p)}
	}
	if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
		return []string{fmt.Sprintf("%s may import the standard library only, not %s", name(dir), p)}
	}
	return nil
}

func name(dir string) string {
	if dir == "" {
		return ". (the root)"
	}
	return dir
}

// sources reads the imports of every Go file of this module below root,
// whatever its build constraints; files of the folder scripts are no package.
func sources(root string) ([]source, error) {
	var out []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if file == root {
				return nil
			}
			if strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if filepath.Ext(file) != ".go" || filepath.Base(filepath.Dir(file)) == "scripts" { // a script is its own program, in no package
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("reading the imports of %s: %w", file, err)
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		s := source{dir: strings.TrimPrefix(path.Dir(filepath.ToSlash(rel)), "."), test: strings.HasSuffix(file, "_test.go")}
		for _, i := range tree.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return fmt.Errorf("reading the imports of %s: %w", file, err)
			}
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
		return nil
	})
	return out, err
}
