package cli

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// outputFlags are -o and what goes with it, of commands that show something: JSON,
// YAML, what the command has of its own, and kubectl's JSONPaths, templates and columns.
type outputFlags struct {
	output    string
	noHeaders bool
	own       []printer.Format
	templates *genericclioptions.KubeTemplatePrintFlags
}

func newOutputFlags(own ...printer.Format) *outputFlags {
	return &outputFlags{own: append(own, printer.JSON, printer.YAML), templates: genericclioptions.NewKubeTemplatePrintFlags()}
}

func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "Output format: "+strings.Join(f.allowed(), ", "))
	cmd.Flags().BoolVar(&f.noHeaders, "no-headers", false, "Print the rows of a table, or of custom columns, and nothing around them")
	f.templates.AddFlags(cmd)
	cmd.Flags().Lookup("template").Usage = "The template or path of -o go-template, -o jsonpath or -o custom-columns, or its file, instead of writing it behind -o; alone it is a go-template"
}

// howToAsk shows each way once.
const howToAsk = `write it as for kubectl's -o: jsonpath='{.name}', go-template='{{.name}}', custom-columns=NAME:.name`

// allowed names all formats.
func (f *outputFlags) allowed() []string {
	out := append(f.templates.AllowedFormats(), get.NewCustomColumnsPrintFlags().AllowedFormats()...)
	for _, own := range f.own {
		out = append(out, string(own))
	}
	// Two names of go-template that kubectl keeps for old scripts.
	out = slices.DeleteFunc(out, func(s string) bool { return s == "template" || s == "templatefile" })
	slices.Sort(out)
	return out
}

// toPrinter reads -o and --template.
func (f *outputFlags) toPrinter(ctx context.Context) (printer.Printer, error) {
	out := printer.Printer{Format: printer.Format(f.output), NoHeaders: f.noHeaders}
	template := *f.templates.TemplateArgument
	if template == "" && out.Format == printer.Table || slices.Contains(f.own, out.Format) {
		return out, nil
	}
	kind, argument, inline := strings.Cut(f.output, "=")
	if template != "" && inline {
		return out, usagef("--output=%s and --template say what to print in two ways: use one of them", quote.Typed(f.output))
	}
	if template != "" {
		argument = template
		if kind == "" {
			kind = "go-template"
		}
	}
	if !slices.Contains(f.allowed(), kind) || slices.Contains(f.own, printer.Format(kind)) {
		return out, usagef("--output=%q: allowed are %s", quote.Typed(f.output), strings.Join(f.allowed(), ", "))
	}
	if argument == "" {
		return out, usagef("--output=%s: what to print is missing\nnext: %s", quote.Typed(f.output), howToAsk)
	}
	sort, file := strings.CutSuffix(kind, "-file")
	if file {
		// kubectl's own way reads a file to its end, whatever it is.
		data, err := readInput(ctx, argument, nil)
		if err != nil {
			return out, &usageError{err}
		}
		argument = string(data)
	}
	objects, err := f.objects(sort, argument, file)
	if err != nil {
		return out, f.wrong(err)
	}
	out.Objects = asked{objects, f}
	return out, nil
}

// wrong says what is wrong with a path, a template or columns, without what the
// library prints for whoever debugs it.
func (f *outputFlags) wrong(err error) error {
	text, _, _ := strings.Cut(strings.TrimSpace(err.Error()), ". Printing more information")
	if _, inner, ok := strings.Cut(text, "rror executing template: "); ok {
		text = inner
	}
	source := "--output=" + quote.Typed(f.output)
	if *f.templates.TemplateArgument != "" && !strings.Contains(f.output, "=") {
		source = "--template=" + quote.Typed(*f.templates.TemplateArgument)
	}
	return usagef("%s: %s\nnext: %s", source, quote.Short(quote.Line(text), 300), howToAsk)
}

// asked prints what is asked for of an object.
type asked struct {
	printers.ResourcePrinter
	flags *outputFlags
}

// PrintObj implements printers.ResourcePrinter. It prints nothing if the printer fails
// halfway, and passes write errors through.
func (a asked) PrintObj(o runtime.Object, w io.Writer) error {
	var out bytes.Buffer
	if err := a.ResourcePrinter.PrintObj(o, &out); err != nil {
		return a.flags.wrong(err)
	}
	_, err := out.WriteTo(w)
	return err
}

// objects is kubectl's printer. Columns from a file stand on two lines: their heads,
// and below them their paths.
func (f *outputFlags) objects(kind, argument string, lines bool) (printers.ResourcePrinter, error) {
	if kind != "custom-columns" {
		*f.templates.TemplateArgument = argument
		return f.templates.ToPrinter(kind)
	}
	decoder := scheme.Codecs.UniversalDecoder(scheme.Scheme.PrioritizedVersionsAllGroups()...)
	if lines {
		return get.NewCustomColumnsPrinterFromTemplate(bytes.NewBufferString(argument), decoder)
	}
	return get.NewCustomColumnsPrinterFromSpec(argument, decoder, f.noHeaders)
}
