package law

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"rempart"
)

// An Expr is a question to the facts in CEL, the Common Expression Language
// (cel.dev). Its variables are the facts by their JSON names, words as strings
// and flags as booleans, and minor, which is [rempart.Facts.Minor]. It is
// compiled and type-checked when the pack is read, and more strictly than CEL
// does: a word may only be compared with a fact that takes it.
//
// A fact that nobody has said makes the answer unknown, by CEL's rules of
// partial evaluation: false && unknown is false, true || unknown is true.
type Expr struct {
	Src   string
	prog  cel.Program
	facts []string // that it asks about, sorted
	err   error    // why it cannot be used, for [Pack.check] to say with the rule's name
}

// UnmarshalJSON reads and compiles the text of an expression.
func (e *Expr) UnmarshalJSON(b []byte) error {
	var src string
	if err := json.Unmarshal(b, &src); err != nil {
		return err
	}
	*e = compile(src, false)
	return nil
}

// MarshalJSON writes the text of the expression.
func (e Expr) MarshalJSON() ([]byte, error) { return json.Marshal(e.Src) }

// environment declares the variables of every expression.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{cel.Variable("minor", cel.BoolType)}
	for name, words := range rempart.FactValues {
		t := cel.StringType
		if words[0] == string(rempart.FlagYes) {
			t = cel.BoolType
		}
		options = append(options, cel.Variable(name, t))
	}
	return cel.NewEnv(options...)
})

// compile compiles src. filled allows the word for what nobody has said, which
// packs of the first format compare with.
func compile(src string, filled bool) Expr {
	e := Expr{Src: src}
	env, err := environment()
	if err != nil {
		e.err = err
		return e
	}
	tree, issues := env.Compile(src)
	if err := issues.Err(); err != nil {
		e.err = fmt.Errorf("%q: %s", src, strings.Join(strings.Fields(err.Error()), " "))
		return e
	}
	if tree.OutputType() != cel.BoolType {
		e.err = fmt.Errorf("%q is no question: its answer is not yes or no", src)
		return e
	}
	if e.facts, e.err = checkWords(tree.NativeRep().Expr(), filled); e.err != nil {
		e.err = fmt.Errorf("%q: %w", src, e.err)
		return e
	}
	e.prog, e.err = env.Program(tree, cel.EvalOptions(cel.OptPartialEval))
	return e
}

// connectives are the functions that an expression may use.
var connectives = []string{operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Equals, operators.NotEquals, operators.In}

// checkWords returns the facts of an expression, or what CEL's types do not see:
// a word that its fact does not take, or is not compared with a fact.
func checkWords(root ast.Expr, filled bool) (facts []string, err error) {
	paired := map[int64]bool{} // words, lists and facts that are compared with each other
	var wrong []string
	say := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	compare := func(name string, words []ast.Expr) {
		for _, w := range words {
			paired[w.ID()] = true
			word, _ := w.AsLiteral().Value().(string)
			known := slices.Contains(rempart.FactValues[name], word)
			if !known || word == string(rempart.OriginUnknown) && !filled {
				say("%q is not a word of %s to ask for; the words are %v", word, name, rempart.FactValues[name])
			}
		}
	}
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			call := e.AsCall()
			if !slices.Contains(connectives, call.FunctionName()) {
				say("%s is not used in rules", call.FunctionName())
				return
			}
			args := call.Args()
			if len(args) != 2 || args[0].Kind() != ast.IdentKind {
				return
			}
			words := args[1:]
			if args[1].Kind() == ast.ListKind {
				words = args[1].AsList().Elements()
				paired[args[1].ID()] = true
			}
			if slices.ContainsFunc(words, func(w ast.Expr) bool { return w.Kind() != ast.LiteralKind }) {
				return
			}
			if name := args[0].AsIdent(); !isFlag(name) {
				paired[args[0].ID()] = true
				compare(name, words)
			}
		case ast.IdentKind:
			if name := e.AsIdent(); isFlag(name) || paired[e.ID()] {
				facts = append(facts, factOf(name))
				return
			}
			say("%s is not compared with its words", e.AsIdent())
		case ast.LiteralKind:
			if !paired[e.ID()] {
				say("%v is not compared with a fact", e.AsLiteral().Value())
			}
		case ast.ListKind:
			if !paired[e.ID()] {
				say("a list is not compared with a fact")
			}
		default:
			say("this is no question to the facts")
		}
	}))
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(wrong, "; "))
	}
	slices.Sort(facts)
	return slices.Compact(facts), nil
}

// isFlag tells whether a variable is yes or no by itself.
func isFlag(name string) bool {
	words := rempart.FactValues[name]
	return name == "minor" || len(words) > 0 && words[0] == string(rempart.FlagYes)
}

// factOf returns the fact that a variable tells.
func factOf(variable string) string {
	if variable == "minor" {
		return "age_class"
	}
	return variable
}

// truth is an answer to a question: no, unknown or yes.
type truth int

const (
	no truth = iota
	unknown
	yes
)

// A view is the facts as expressions see them, on the day of the acts.
type view struct {
	facts rempart.Facts
	day   string // YYYY-MM-DD
	vars  any    // cel.PartialActivation
}

// see returns the view of f. filled puts the words of the first format in the
// place of what nobody has said.
func see(f rempart.Facts, day string, filled bool) view {
	if filled {
		f = fillFirst(f)
	}
	f.Online = f.Networked()
	values := map[string]any{}
	var unsaid []*cel.AttributePatternType
	for name := range rempart.FactValues {
		word := f.Word(name)
		if filled && word == "" {
			word = string(rempart.OriginUnknown)
		}
		switch {
		case word == "":
			unsaid = append(unsaid, cel.AttributePattern(name))
		case isFlag(name):
			values[name] = word == string(rempart.FlagYes)
		default:
			values[name] = word
		}
	}
	if f.Word("age_class") == "" && !f.Minor() && !filled {
		unsaid = append(unsaid, cel.AttributePattern("minor"))
	} else {
		values["minor"] = f.Minor()
	}
	vars, err := cel.PartialVars(values, unsaid...)
	if err != nil {
		panic("law: " + err.Error()) // only for values that are not a map
	}
	return view{f, day, vars}
}

// ask returns the answer to the expression, and when it is unknown the facts
// that make it so.
func (v view) ask(e Expr) (truth, []string) {
	out, _, err := e.prog.Eval(v.vars)
	if err != nil {
		return no, nil // no expression of a loaded pack fails: each fact has a value or is unknown
	}
	if u, ok := out.(*types.Unknown); ok {
		var facts []string
		for _, id := range u.IDs() {
			trails, _ := u.GetAttributeTrails(id)
			for _, t := range trails {
				if name := factOf(t.Variable()); !slices.Contains(facts, name) {
					facts = append(facts, name)
				}
			}
		}
		return unknown, facts
	}
	if out == types.True {
		return yes, nil
	}
	return no, nil
}
