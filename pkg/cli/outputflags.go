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

// add adds --no-headers only where a table is printed.
func (f *outputFlags) add(cmd *cobra.Command, table bool) {
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "Output format: "+strings.Join(f.allowed(), ", "))
	if table {
		cmd.Flags().BoolVar(&f.noHeaders, "no-headers", false, "Leave out the first line of the table, or of custom columns")
	}
	f.templates.AddFlags(cmd)
}

// howToAsk shows each way once.
const howToAsk = `give it as for kubectl's own -o: jsonpath='{.name}', go-template='{{.name}}', custom-columns=NAME:.name`

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
	if template == "" && (out.Format == printer.Table || slices.Contains(f.own, out.Format)) {
		return out, nil
	}
	kind, argument, _ := strings.Cut(f.output, "=")
	if template != "" {
		argument = template
		if kind == "" {
			kind = "go-template"
		}
	}
	if !slices.Contains(f.allowed(), kind) || slices.Contains(f.own, printer.Format(kind)) {
		return out, usagef("--output=%q: allowed are %s", clipped(f.output), strings.Join(f.allowed(), ", "))
	}
	if argument == "" {
		return out, usagef("--output=%s: what to print is missing\nnext: %s", clipped(f.output), howToAsk)
	}
	inline, file := strings.CutSuffix(kind, "-file")
	if file {
		// kubectl's own way reads a file to its end, whatever it is.
		data, err := readInput(ctx, argument, nil)
		if err != nil {
			return out, &usageError{err}
		}
		argument = string(data)
	}
	objects, err := f.objects(inline, argument, file)
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
	return usagef("--output=%s: %s\nnext: %s", clipped(f.output), quote.Short(quote.Line(text), 300), howToAsk)
}

// asked prints what is asked for of an object.
type asked struct {
	printers.ResourcePrinter
	flags *outputFlags
}

// PrintObj implements printers.ResourcePrinter.
func (a asked) PrintObj(o runtime.Object, w io.Writer) error {
	if err := a.ResourcePrinter.PrintObj(o, w); err != nil {
		return a.flags.wrong(err)
	}
	return nil
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
