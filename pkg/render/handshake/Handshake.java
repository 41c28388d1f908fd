import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.SSLSocket;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;

/**
 * Tries what the server ID with the configuration in the files has to do before it can join:
 * TLS with the other servers, the logins of its JAAS file, and SASL with the leader. Says one
 * line each, of the address and why: ok, refused (TLS), denied (SASL), broken (our own TLS
 * files), unable (a section of our JAAS file, in place of the address) or unknown; and nobody
 * where no leader could be asked. Nothing is sent after a handshake: whoever took it waits for
 * our words, whoever did not has hung up.
 */
class Handshake {
    static Object tls;
    static Method create;

    public static void main(String[] args) throws Exception {
        Properties config = new Properties();
        for (int i = 1; i < args.length; i++) {
            try (InputStreamReader in = new InputStreamReader(new FileInputStream(args[i]), StandardCharsets.UTF_8)) {
                config.load(in);
            }
        }
        for (String key : config.stringPropertyNames()) {
            System.setProperty("zookeeper." + key, config.getProperty(key).trim());
        }
        if (is(config, "sslQuorum")) {
            tls = Class.forName("org.apache.zookeeper.common.QuorumX509Util").getConstructor().newInstance();
            create = tls.getClass().getMethod("createSSLSocket");
            for (String key : servers(config)) {
                if (!key.equals("server." + args[0])) {
                    InetSocketAddress at = address(config, key, 1);
                    System.out.println(shake(at, at.getHostString() + " " + at.getPort() + " "));
                }
            }
        }
        login(System.getProperty("zookeeper.sasl.serverconfig", "Server"), false);
        if (is(config, "quorum.auth.enableSasl")) {
            sasl(config);
        }
        System.out.println("end");
        System.exit(0);
    }

    static boolean is(Properties config, String key) {
        return config.getProperty(key, "").trim().equalsIgnoreCase("true");
    }

    static Set<String> servers(Properties config) {
        Set<String> out = new TreeSet<>(config.stringPropertyNames());
        out.removeIf(key -> !key.startsWith("server."));
        return out;
    }

    /** The port that others connect to: 0 is the leader's for followers, 1 the one for elections. */
    static InetSocketAddress address(Properties config, String key, int port) {
        String line = config.getProperty(key).trim();
        int end = line.startsWith("[") ? line.indexOf(']') + 1 : line.indexOf(':');
        String host = line.substring(0, end).replace("[", "").replace("]", "");
        return new InetSocketAddress(host, Integer.parseInt(line.substring(end + 1).split("[:;]")[port].trim()));
    }

    static String shake(InetSocketAddress to, String at) {
        boolean reached = false, shaken = false;
        try (SSLSocket socket = (SSLSocket) create.invoke(tls)) {
            socket.connect(to, 3000);
            reached = true;
            socket.setSoTimeout(3000);
            socket.startHandshake();
            shaken = true;
            socket.setSoTimeout(700);
            return socket.getInputStream().read() < 0 ? "refused " + at + "it closed the connection after the handshake" : "ok " + at;
        } catch (SocketTimeoutException e) {
            return (shaken ? "ok " : "unknown ") + at;
        } catch (InvocationTargetException e) {
            return "broken " + at + why(e);
        } catch (IOException e) {
            // Whoever refuses may hang up so soon that no alert is read.
            return (reached ? "refused " : "unknown ") + at + why(e);
        } catch (Exception e) {
            return "broken " + at + why(e);
        }
    }

    /** Logs in by a section of the JAAS file; a server that cannot does not start. */
    static boolean login(String section, boolean required) {
        try {
            AppConfigurationEntry[] entries = Configuration.getConfiguration().getAppConfigurationEntry(section);
            if (entries == null && !required) {
                return true;
            }
            new LoginContext(section).login();
            return true;
        } catch (Exception e) {
            System.out.println("unable " + section + " - " + why(e));
            return false;
        }
    }

    static void sasl(Properties config) throws Exception {
        String ours = config.getProperty("quorum.auth.learner.saslLoginContext", "QuorumLearner").trim();
        String others = config.getProperty("quorum.auth.server.saslLoginContext", "QuorumServer").trim();
        if (!login(ours, true) | !login(others, true) || !is(config, "quorum.auth.learnerRequireSasl")) {
            return;
        }
        String principal = config.getProperty("quorum.auth.kerberos.servicePrincipal", "zkquorum/localhost").trim();
        Class<?> type = Class.forName("org.apache.zookeeper.server.quorum.auth.SaslQuorumAuthLearner");
        Object learner = type.getConstructor(boolean.class, String.class, String.class).newInstance(true, principal, ours);
        Method authenticate = type.getMethod("authenticate", Socket.class, String.class);
        boolean told = false;
        // The leader alone listens there, and this server's host may be it.
        for (String key : servers(config)) {
            InetSocketAddress at = address(config, key, 0);
            String said = join(learner, authenticate, at, at.getHostString() + " " + at.getPort() + " ");
            told |= !said.startsWith("unknown ");
            System.out.println(said);
        }
        if (!told) {
            System.out.println("nobody");
        }
        if (Configuration.getConfiguration().getAppConfigurationEntry(ours)[0].getLoginModuleName().endsWith(".DigestLoginModule")) {
            turned(learner, authenticate, ours, others);
        }
    }

    static String join(Object learner, Method authenticate, InetSocketAddress to, String at) {
        boolean reached = false;
        try (Socket socket = tls == null ? new Socket() : (Socket) create.invoke(tls)) {
            socket.connect(to, 3000);
            reached = true;
            socket.setSoTimeout(3000);
            authenticate.invoke(learner, socket, to.getHostString());
            return "ok " + at;
        } catch (InvocationTargetException e) {
            return (e.getCause() instanceof SocketTimeoutException ? "unknown " : "denied ") + at + why(e);
        } catch (Exception e) {
            return (reached ? "denied " : "unknown ") + at + why(e);
        }
    }

    /** Whether we take what we say to others, for they say the same to us. */
    static void turned(Object learner, Method authenticate, String ours, String others) throws Exception {
        Class<?> type = Class.forName("org.apache.zookeeper.server.quorum.auth.SaslQuorumAuthServer");
        Object server = type.getConstructor(boolean.class, String.class, Set.class).newInstance(true, others, Collections.emptySet());
        Method take = type.getMethod("authenticate", Socket.class, DataInputStream.class);
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket us = new Socket(listener.getInetAddress(), listener.getLocalPort());
                Socket them = listener.accept()) {
            us.setSoTimeout(3000);
            Thread taker = new Thread(() -> {
                try {
                    take.invoke(server, them, new DataInputStream(new BufferedInputStream(them.getInputStream())));
                } catch (Exception e) {
                    // The other side is told.
                }
            });
            taker.setDaemon(true);
            taker.start();
            authenticate.invoke(learner, us, "localhost");
        } catch (InvocationTargetException e) {
            System.out.println("unable " + others + " - it does not take the user and password of the section " + ours);
        }
    }

    static String why(Throwable e) {
        while (e.getCause() != null) {
            e = e.getCause();
        }
        return String.valueOf(e.getMessage()).replaceAll("[^ -~]", "?");
    }
}
