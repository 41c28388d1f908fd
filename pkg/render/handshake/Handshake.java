import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.TreeSet;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

/**
 * Shakes hands with the other servers of the list, as the server ID with the
 * configuration in the files does when it joins them. Says one line each: ok,
 * refused, broken or unknown, the address, and why. Nothing is sent after the
 * handshake: whoever took it waits for our words, whoever did not has hung up.
 */
class Handshake {
    public static void main(String[] args) throws Exception {
        Properties config = new Properties();
        for (int i = 1; i < args.length; i++) {
            try (InputStreamReader in = new InputStreamReader(new FileInputStream(args[i]), StandardCharsets.UTF_8)) {
                config.load(in);
            }
        }
        for (String key : config.stringPropertyNames()) {
            if (key.startsWith("ssl.") || key.equals("fips-mode")) {
                System.setProperty("zookeeper." + key, config.getProperty(key).trim());
            }
        }
        Object tls = Class.forName("org.apache.zookeeper.common.QuorumX509Util").getConstructor().newInstance();
        Method create = tls.getClass().getMethod("createSSLSocket");
        for (String key : new TreeSet<>(config.stringPropertyNames())) {
            if (key.startsWith("server.") && !key.equals("server." + args[0])) {
                String line = config.getProperty(key).trim();
                int end = line.startsWith("[") ? line.indexOf(']') + 1 : line.indexOf(':');
                String[] ports = line.substring(end + 1).split("[:;]");
                String host = line.substring(0, end).replace("[", "").replace("]", "");
                System.out.println(shake(tls, create, host, Integer.parseInt(ports[1].trim())));
            }
        }
        System.out.println("end");
    }

    static String shake(Object tls, Method create, String host, int port) {
        boolean shaken = false;
        String at = host + " " + port + " ";
        try (SSLSocket socket = (SSLSocket) create.invoke(tls)) {
            socket.connect(new InetSocketAddress(host, port), 3000);
            socket.setSoTimeout(3000);
            socket.startHandshake();
            shaken = true;
            socket.setSoTimeout(700);
            return socket.getInputStream().read() < 0 ? "refused " + at + "it closed the connection after the handshake" : "ok " + at;
        } catch (SocketTimeoutException e) {
            return (shaken ? "ok " : "unknown ") + at;
        } catch (SSLException e) {
            return "refused " + at + why(e);
        } catch (InvocationTargetException e) {
            return "broken " + at + why(e.getCause());
        } catch (IOException e) {
            return (shaken ? "refused " : "unknown ") + at + why(e);
        } catch (Exception e) {
            return "broken " + at + why(e);
        }
    }

    static String why(Throwable e) {
        while (e.getCause() != null) {
            e = e.getCause();
        }
        return String.valueOf(e.getMessage()).replaceAll("[^ -~]", "?");
    }
}
