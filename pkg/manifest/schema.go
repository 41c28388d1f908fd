package manifest

import "encoding/json"

// Schema is the table of a kind as a JSON Schema (draft 7), for editors and for whoever checks
// manifests elsewhere. It says what Parse says of every single field; what several servers
// must agree on, and values that only their commands judge, it leaves to Parse.
func Schema(kind Field) ([]byte, error) {
	root := schema(kind)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = kind.kind()
	out, err := json.MarshalIndent(root, "", "  ")
	return append(out, '\n'), err
}

func schema(f Field) map[string]any {
	out := map[string]any{"description": f.Sentence()}
	switch f.Type {
	case Object:
		object(out, f)
	case Objects:
		item := map[string]any{}
		object(item, f)
		out["type"], out["items"] = "array", item
	case List:
		item := map[string]any{"type": "string"}
		text(item, f)
		out["type"], out["items"] = "array", item
	case Number:
		out["type"], out["minimum"], out["maximum"] = "integer", f.Min, f.Max
	case Quantity:
		out["type"] = []string{"string", "number"}
	case Map:
		item := map[string]any{"type": "string"}
		text(item, f)
		out["type"], out["additionalProperties"] = "object", item
	case Share:
		out["oneOf"] = []any{
			map[string]any{"type": "integer", "minimum": f.Min, "maximum": f.Max},
			map[string]any{"type": "string", "pattern": f.Pattern},
		}
	case Text:
		out["type"] = "string"
		text(out, f)
	}
	return out
}

func text(out map[string]any, f Field) {
	if len(f.Enum) > 0 {
		out["enum"] = f.Enum
	}
	if f.Pattern != "" {
		out["pattern"] = f.Pattern
	}
	if f.File {
		out["minLength"] = 1
	}
}

func object(out map[string]any, f Field) {
	properties, needs := map[string]any{}, map[string][]string{}
	var required []string
	for _, sub := range f.Fields {
		properties[sub.Name] = schema(sub)
		if sub.With != "" {
			needs[sub.Name] = []string{sub.With}
		}
		switch {
		case sub.Required && sub.With != "":
			needs[sub.With] = append(needs[sub.With], sub.Name)
		case sub.Required:
			required = append(required, sub.Name)
		}
	}
	out["type"], out["additionalProperties"], out["properties"] = "object", false, properties
	if len(required) > 0 {
		out["required"] = required
	}
	if len(needs) > 0 {
		out["dependencies"] = needs
	}
	if len(f.NotBoth) > 0 {
		out["not"] = map[string]any{"required": f.NotBoth}
	}
	var one []any
	for _, name := range f.OneOf {
		one = append(one, map[string]any{"required": []string{name}})
	}
	if len(one) > 0 {
		out["oneOf"] = one
	}
}
