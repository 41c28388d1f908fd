import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/**
 * Answers questions about configuration files with ZooKeeper's own classes, one line of JSON for each line read:
 * "P base64" is what java.util.Properties makes of a text, "C path" what QuorumPeerConfig makes of a zoo.cfg,
 * "M path" the same with the JVM flag for several addresses.
 * Reflection only: the same class file runs with the jars of every release.
 */
public class ReadConfig {
    private static final String CLASS = "org.apache.zookeeper.server.quorum.QuorumPeerConfig";

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err); // some releases print when a class is loaded
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String argument = line.substring(2);
            out.println(line.charAt(0) == 'P' ? properties(argument) : config(argument, line.charAt(0) == 'M'));
            out.flush();
        }
    }

    private static String properties(String base64) throws Exception {
        Properties p = new Properties();
        try {
            p.load(new ByteArrayInputStream(Base64.getDecoder().decode(base64)));
        } catch (IllegalArgumentException e) {
            return "{\"error\":" + quote(e.getMessage()) + "}";
        }
        Map<String, String> sorted = new TreeMap<>();
        for (Map.Entry<Object, Object> e : p.entrySet()) {
            sorted.put((String) e.getKey(), (String) e.getValue());
        }
        StringBuilder b = new StringBuilder();
        for (Map.Entry<String, String> e : sorted.entrySet()) {
            b.append(b.length() == 0 ? "" : ",").append("[").append(quote(e.getKey())).append(",").append(quote(e.getValue())).append("]");
        }
        return "{\"entries\":[" + b + "]}";
    }

    private static String config(String path, boolean multiAddress) throws Exception {
        forget();
        if (multiAddress) {
            System.setProperty("zookeeper.multiAddress.enabled", "true");
        }
        Object c = Class.forName(CLASS).getDeclaredConstructor().newInstance();
        try {
            c.getClass().getMethod("parse", String.class).invoke(c, path);
        } catch (InvocationTargetException e) {
            String text = "";
            for (Throwable t = e.getCause(); t != null; t = t.getCause()) {
                text += (text.isEmpty() ? "" : ": ") + t.getMessage();
            }
            // The last check of all: everything before it has passed, and the files here have no myid.
            if (!text.contains("myid file is missing") && !text.contains("myid: ") && !text.contains("myid file")) {
                return "{\"error\":" + quote(text) + "}";
            }
        }
        StringBuilder b = new StringBuilder("{");
        member(b, "dataDir", call(c, "getDataDir"));
        member(b, "dataLogDir", call(c, "getDataLogDir"));
        member(b, "tickTime", call(c, "getTickTime"));
        member(b, "initLimit", call(c, "getInitLimit"));
        member(b, "syncLimit", call(c, "getSyncLimit"));
        member(b, "listenOnAllIPs", call(c, "getQuorumListenOnAllIPs"));
        address(b, "client", (InetSocketAddress) call(c, "getClientPortAddress"));
        address(b, "secure", (InetSocketAddress) call(c, "getSecureClientPortAddress"));
        member(b, "observerMaster", call(c, "getObserverMasterPort"));
        servers(b, c);
        return b.append("}").toString();
    }

    /** Takes back what reading an earlier file has left in static places. */
    private static void forget() throws Exception {
        for (Object key : new ArrayList<>(System.getProperties().keySet())) {
            if (((String) key).startsWith("zookeeper.")) {
                System.clearProperty((String) key);
            }
        }
        for (Object[] setting : new Object[][] {{"setStandaloneEnabled", true}, {"setReconfigEnabled", false}}) {
            for (Method m : Class.forName(CLASS).getMethods()) {
                if (m.getName().equals(setting[0])) {
                    m.invoke(null, setting[1]);
                }
            }
        }
    }

    private static void servers(StringBuilder b, Object c) throws Exception {
        Object verifier = call(c, "getQuorumVerifier");
        Map<?, ?> servers = (Map<?, ?>) call(c, "getServers");
        List<Long> ids = new ArrayList<>();
        for (Object id : servers.keySet()) {
            ids.add((Long) id);
        }
        Collections.sort(ids);
        b.append(",\"servers\":[");
        for (int i = 0; i < ids.size(); i++) {
            Object s = servers.get(ids.get(i));
            b.append(i == 0 ? "{" : ",{");
            member(b, "id", ids.get(i));
            member(b, "role", String.valueOf(field(s, "type")).toLowerCase());
            addresses(b, "peers", field(s, "addr"));
            addresses(b, "elections", field(s, "electionAddr"));
            address(b, "client", (InetSocketAddress) field(s, "clientAddr"));
            if (verifier != null && verifier.getClass().getSimpleName().equals("QuorumHierarchical")) {
                member(b, "weight", lookup(verifier, "serverWeight", ids.get(i)));
                member(b, "group", lookup(verifier, "serverGroup", ids.get(i)));
            }
            b.append("}");
        }
        b.append("]");
    }

    private static Object lookup(Object o, String map, Object key) throws Exception {
        return ((Map<?, ?>) field(o, map)).get(key);
    }

    /** 3.4 and 3.5 have one address, later releases a set. */
    private static void addresses(StringBuilder b, String name, Object value) throws Exception {
        List<String> all = new ArrayList<>();
        if (value instanceof InetSocketAddress) {
            all.add(text((InetSocketAddress) value));
        } else if (value != null) {
            for (Object a : (Collection<?>) call(value, "getAllAddresses")) {
                all.add(text((InetSocketAddress) a));
            }
        }
        Collections.sort(all);
        StringBuilder list = new StringBuilder();
        for (String s : all) {
            list.append(list.length() == 0 ? "" : ",").append(quote(s));
        }
        b.append(b.charAt(b.length() - 1) == '{' ? "" : ",").append(quote(name)).append(":[").append(list).append("]");
    }

    private static void address(StringBuilder b, String name, InetSocketAddress a) {
        if (a != null) {
            member(b, name, text(a));
        }
    }

    private static String text(InetSocketAddress a) {
        return a.getHostString() + "#" + a.getPort();
    }

    private static Object call(Object o, String method) throws Exception {
        try {
            return o.getClass().getMethod(method).invoke(o);
        } catch (NoSuchMethodException e) {
            return null;
        } catch (InvocationTargetException e) {
            return null; // 3.5 and later: no servers without a verifier
        }
    }

    private static Object field(Object o, String name) throws Exception {
        try {
            Field f = o.getClass().getDeclaredField(name);
            f.setAccessible(true);
            return f.get(o);
        } catch (NoSuchFieldException e) {
            return null;
        }
    }

    private static void member(StringBuilder b, String name, Object value) {
        if (value == null) {
            return;
        }
        b.append(b.charAt(b.length() - 1) == '{' ? "" : ",").append(quote(name)).append(":");
        b.append(value instanceof Number || value instanceof Boolean ? value.toString() : quote(value.toString()));
    }

    private static String quote(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : String.valueOf(s).toCharArray()) {
            if (c == '"' || c == '\\') {
                b.append('\\').append(c);
            } else if (c < 0x20 || c > 0x7e) {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.append("\"").toString();
    }
}
